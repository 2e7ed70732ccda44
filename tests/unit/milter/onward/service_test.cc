#include "milter/onward/service.h"

#include "milter/writer/writer.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Kind = OnwardVerdict::Kind;

constexpr char kAskedId[] = "4jWxyz100001";
const TimePoint kToday = std::chrono::floor<Seconds>(std::chrono::system_clock::now());

// A gate that waits for each answer.
class AskingClient {
 public:
  explicit AskingClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ =
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  [[nodiscard]] bool connected() const { return connected_; }
  // Sends as much as the service takes before it closes the connection.
  void send_until_cut_off(std::string_view octets) const {
    (void)::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
  }
  void send(std::string_view octets) const {
    ASSERT_EQ(::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
  }
  // Nothing: the connection was closed.
  std::optional<onward_wire::Answer> receive() {
    for (;;) {
      std::string_view rest = in_;
      const auto frame = onward_wire::take_frame(rest);
      if (frame && *frame) {
        const auto answer = onward_wire::decode_answer(**frame);
        in_.erase(0, in_.size() - rest.size());
        return answer ? std::optional(*answer) : std::nullopt;
      }
      char piece[512];
      const ssize_t size = ::recv(fd_.get(), piece, sizeof piece, 0);
      if (size <= 0) {
        return std::nullopt;
      }
      in_.append(piece, static_cast<std::size_t>(size));
    }
  }
  std::optional<OnwardVerdict> ask(const OnwardTransaction& about) {
    std::string out;
    EXPECT_TRUE(onward_wire::put_question(out, {++number_, 0ms, about}));
    send(out);
    const std::optional<onward_wire::Answer> answer = receive();
    EXPECT_TRUE(!answer || answer->number == number_);
    return answer ? answer->verdict : std::nullopt;
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
  std::string in_;
  std::uint32_t number_ = 0;
};

OnwardTransaction asked(const std::string& queue_id, const std::string& recipient = "bob@b.test") {
  OnwardTransaction about;
  about.queue_id = queue_id;
  about.sender = "s@a.test";
  about.envid = "id1@a.test";
  about.recipients = {{recipient, ""}};
  return about;
}

class OnwardServiceTest : public testing::Test {
 protected:
  OnwardServiceTest() {
    config_.store.path = folder_.path("store");
    config_.store.max_size = std::uint64_t{64} << 20;
    config_.milter.commit_wait = 10s;
    writer_ = std::make_unique<StoreWriter>(config_, queue_, breaker_, counters_, &lent_);
    writer_->start();
    service_ = std::make_unique<OnwardService>(path(), pass_on_policy(config_), lent_);
    service_->start();
  }
  ~OnwardServiceTest() override {
    service_.reset();
    writer_.reset();
  }
  [[nodiscard]] std::string path() const { return folder_.path("gate.sock"); }

  void capture() {
    const auto ticket = std::make_shared<CommitTicket>();
    ASSERT_TRUE(
        queue_.push(PutCapture{{
                        .queue_id = QueueId::parse(kAskedId).value(),
                        .envelope_id = EnvelopeId::from_decoded("id1@a.test").value(),
                        .certifier = certifier_,
                        .timeout = Seconds(86400),
                        .reporting_mta = {"dns", "mx.example.test"},
                        .arrival = kToday,
                        .utc_offset = Minutes(0),
                        .ticket = 1,
                        .stage = store::Stage::final,
                        .recipients = {{{"rfc822", "bob@b.test"}, {"rfc822", "bob@b.test"}}},
                    }},
                    ticket));
    queue_.hurry(*ticket, 1);
    ASSERT_EQ(ticket->wait_until(std::chrono::steady_clock::now() + 10s), CommitResult::committed);
  }

  test::ScratchDirectory folder_;
  Config config_;
  TrackingCertifier certifier_ = TrackingCertifier::from_octets({1, 2, 3});
  CircuitBreaker breaker_;
  Counters counters_;
  StoreQueue queue_{1024, 1 << 20};
  OnwardStore lent_;
  std::unique_ptr<StoreWriter> writer_;
  std::unique_ptr<OnwardService> service_;
};

TEST_F(OnwardServiceTest, AnswersFromTheStoreAsTheWriterCommittedIt) {
  AskingClient client(path());
  EXPECT_EQ(client.ask(asked(kAskedId))->kind, Kind::unknown);
  capture();
  const std::optional<OnwardVerdict> verdict = client.ask(asked(kAskedId));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->kind, Kind::pass_on);
  EXPECT_EQ(verdict->queue_id, kAskedId);
  EXPECT_EQ(verdict->envid, "id1@a.test");
  EXPECT_EQ(verdict->mtrk->certifier, certifier_);
  EXPECT_LE(verdict->mtrk->timeout, Seconds(86400));
  EXPECT_GE(verdict->mtrk->timeout, Seconds(86300));
  EXPECT_EQ(client.ask(asked("4jWxyz100002"))->kind, Kind::unknown);
  EXPECT_EQ(client.ask(asked("../etc/passwd"))->kind, Kind::unknown);
}

TEST_F(OnwardServiceTest, FindsWhatOnlyTheFoldTells) {
  capture();
  AskingClient client(path());
  OnwardTransaction about = asked("");
  about.certifier = certifier_;
  EXPECT_EQ(client.ask(about)->kind, Kind::pass_on);
  EXPECT_EQ(client.ask(about)->queue_id, kAskedId);
  about.certifier = TrackingCertifier::from_octets({9});
  EXPECT_EQ(client.ask(about)->kind, Kind::unknown);
  about.certifier.reset();
  EXPECT_EQ(client.ask(about)->kind, Kind::unknown);
}

// A certifier reaches the gate only if it goes on.
TEST_F(OnwardServiceTest, WhatIsWithheldIsNotTold) {
  capture();
  AskingClient client(path());
  const std::optional<OnwardVerdict> verdict = client.ask(asked(kAskedId, "other@b.test"));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->kind, Kind::withhold);
  EXPECT_EQ(verdict->why, OnwardVerdict::Why::not_captured);
  EXPECT_FALSE(verdict->mtrk);
  EXPECT_EQ(verdict->envid, "");
}

TEST_F(OnwardServiceTest, AnswersInTheOrderOfTheQuestions) {
  capture();
  AskingClient client(path());
  std::string out;
  for (std::uint32_t i = 100; i < 300; ++i) {
    ASSERT_TRUE(onward_wire::put_question(
        out, {i, 0ms, i % 3 == 0 ? std::nullopt : std::optional(asked(kAskedId))}));
  }
  client.send(out);
  for (std::uint32_t i = 100; i < 300; ++i) {
    const std::optional<onward_wire::Answer> answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->number, i);
    EXPECT_EQ(answer->verdict.has_value(), i % 3 != 0);
  }
}

TEST_F(OnwardServiceTest, WhoBreaksTheProtocolIsCutOffAndOthersAreServed) {
  AskingClient good(path());
  for (const std::string& octets :
       {std::string("\xff\xff\xff\xff"), std::string("\0\0\0\1x", 5), std::string("\0\0\0\0", 4),
        std::string("GET / HTTP/1.1\r\n\r\n"), std::string(200000, 'x')}) {
    AskingClient client(path());
    client.send_until_cut_off(octets);
    EXPECT_FALSE(client.receive());
    EXPECT_EQ(good.ask(asked(kAskedId))->kind, Kind::unknown);
  }
}

TEST_F(OnwardServiceTest, OfTooManyClientsThoseThatAskStay) {
  AskingClient good(path());
  std::vector<std::unique_ptr<AskingClient>> idle;
  for (std::size_t i = 0; i < 3 * OnwardService::kMostClients; ++i) {
    idle.push_back(std::make_unique<AskingClient>(path()));
    EXPECT_TRUE(idle.back()->connected());
    ASSERT_TRUE(good.ask(asked(kAskedId))) << i;
  }
  EXPECT_FALSE(idle.front()->receive());
}

TEST_F(OnwardServiceTest, TheSocketIsForItsGroup) {
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660U);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_NE(entry.path().filename().string().substr(0, 2), "g.");
  }
  service_.reset();
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(OnwardServiceTest, AStoreThatIsClosedIsSaidToBe) {
  capture();
  AskingClient client(path());
  lent_.close();
  EXPECT_EQ(client.ask(asked(kAskedId))->kind, Kind::unavailable);
  lent_.open(config_.store.path);
  EXPECT_EQ(client.ask(asked(kAskedId))->kind, Kind::pass_on);
}

// A reload opens the store anew, where a reader must not keep the old environment.
TEST_F(OnwardServiceTest, AReloadOfTheWriterIsNotSeen) {
  capture();
  AskingClient client(path());
  for (int i = 0; i < 20; ++i) {
    writer_->reconfigure(config_);
    EXPECT_EQ(client.ask(asked(kAskedId))->kind, Kind::pass_on);
  }
}

TEST_F(OnwardServiceTest, PolicyIsTheConfigurations) {
  Config config;
  EXPECT_FALSE(pass_on_policy(config).redirection_is_final);
  config.privacy.forwarding = Forwarding::final;
  config.retention.default_ = Seconds(4711);
  EXPECT_TRUE(pass_on_policy(config).redirection_is_final);
  EXPECT_EQ(pass_on_policy(config).default_timeout, Seconds(4711));
}

TEST(OnwardSocketTest, AFolderThatIsNotThereYetIsWaitedFor) {
  const test::ScratchDirectory folder;
  OnwardStore closed;
  OnwardService service(folder.path("later/gate.sock"), {}, closed);
  service.start();
  std::filesystem::create_directory(folder.path("later"));
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!std::filesystem::exists(folder.path("later/gate.sock")) &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(10ms);
  }
  AskingClient client(folder.path("later/gate.sock"));
  EXPECT_EQ(client.ask(asked(kAskedId))->kind, Kind::unavailable);
}

TEST(OnwardSocketTest, WithoutAPathThereIsNothing) {
  OnwardStore closed;
  OnwardService service("", {}, closed);
  service.start();
  service.stop();
}

}  // namespace
}  // namespace mtrk
