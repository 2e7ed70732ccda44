#include "milter/gate/look_up.h"

#include "common/base/unique_fd.h"
#include "tests/support/scratch_directory.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::gate {
namespace {

using namespace std::chrono_literals;
using Answer = smtp::GateOnwardSession::Answer;
using onward_wire::Question;
using TestClock = std::chrono::steady_clock;

// Wide enough apart for a busy machine to tell them.
constexpr GateLookUp::Timing kTiming{300ms, 100ms, 0ms};

OnwardVerdict passed_on() {
  OnwardVerdict verdict;
  verdict.kind = OnwardVerdict::Kind::pass_on;
  verdict.queue_id = "4jWzjj46J4z1V";
  verdict.envid = "e@h.example";
  verdict.mtrk = MtrkParam{TrackingCertifier::from_octets({7}), Seconds(60)};
  return verdict;
}

std::string honest(const Question& question) {
  std::string out;
  onward_wire::put_answer(
      out, {question.number, question.about ? std::optional(passed_on()) : std::nullopt});
  return out;
}

// Plays mtrk-milter: `act` says what is sent for a question; nothing = the connection is closed.
class FakeMilter {
 public:
  using Act = std::function<std::optional<std::string>(const Question&)>;
  FakeMilter(const std::string& path, Act act)
      : act_(std::move(act)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~FakeMilter() {
    end_ = true;
    thread_.join();
  }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int questions() const { return questions_; }

 private:
  struct Peer {
    UniqueFd fd;
    std::string in;
  };
  void run() {
    std::vector<Peer> peers;
    while (!end_) {
      std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
      for (const Peer& peer : peers) {
        polled.push_back({peer.fd.get(), POLLIN, 0});
      }
      ::poll(polled.data(), polled.size(), 5);
      for (std::size_t i = 0; i < peers.size(); ++i) {
        if (polled[i + 1].revents != 0 && !serve(peers[i])) {
          peers[i].fd.reset(-1);
        }
      }
      std::erase_if(peers, [](const Peer& peer) { return !peer.fd; });
      if (polled[0].revents != 0) {
        peers.push_back({UniqueFd(::accept(listener_.get(), nullptr, nullptr)), {}});
        ++connections_;
      }
    }
  }
  bool serve(Peer& peer) {
    std::array<char, 65536> piece{};
    const ssize_t size = ::recv(peer.fd.get(), piece.data(), piece.size(), 0);
    if (size <= 0) {
      return false;
    }
    peer.in.append(piece.data(), static_cast<std::size_t>(size));
    std::string_view rest = peer.in;
    for (;;) {
      const auto frame = onward_wire::take_frame(rest);
      EXPECT_TRUE(frame);
      if (!frame || !*frame) {
        break;
      }
      const Expected<Question> question = onward_wire::decode_question(**frame);
      EXPECT_TRUE(question);
      questions_ += question->about ? 1 : 0;
      const std::optional<std::string> octets = act_(*question);
      if (!octets) {
        return false;
      }
      ::send(peer.fd.get(), octets->data(), octets->size(), MSG_NOSIGNAL);
    }
    peer.in.erase(0, peer.in.size() - rest.size());
    return true;
  }

  Act act_;
  UniqueFd listener_;
  std::atomic<bool> end_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> questions_{0};
  std::thread thread_;
};

class GateLookUpTest : public testing::Test {
 protected:
  GateLookUpTest() { boost::asio::co_spawn(context_, look_up_.keep(), boost::asio::detached); }

  [[nodiscard]] std::string path() const { return folder_.path("gate.sock"); }

  struct Taken {
    Answer answer;
    std::chrono::milliseconds time{0};
  };
  // Runs the loop until the question has its answer.
  Taken ask(std::size_t recipients = 1) {
    smtp::GateOnwardSession::Transaction about;
    about.queue_id = "4jWzjj46J4z1V";
    about.recipients.assign(recipients, {std::string(500, 'r') + "@r.example", ""});
    Taken taken;
    bool done = false;
    const auto begin = TestClock::now();
    boost::asio::co_spawn(context_, look_up_.look_up(about),
                          [&](const std::exception_ptr& failure, const Answer& answer) {
                            EXPECT_FALSE(failure);
                            taken.answer = answer;
                            taken.time = std::chrono::duration_cast<std::chrono::milliseconds>(
                                TestClock::now() - begin);
                            done = true;
                          });
    while (!done && TestClock::now() < begin + 20s) {
      context_.run_one_for(10ms);
    }
    EXPECT_TRUE(done);
    return taken;
  }
  bool passes_on() { return ask().answer.onward.has_value(); }
  // Runs the loop until it holds.
  template <typename Condition>
  bool comes_true(Condition condition) {
    const auto end = TestClock::now() + 20s;
    while (!condition()) {
      if (TestClock::now() > end) {
        return false;
      }
      context_.run_for(10ms);
    }
    return true;
  }

  test::ScratchDirectory folder_;
  GateLookUp look_up_{path(), kTiming};  // before the context: its coroutines refer to it
  net::asio::io_context context_{1};
};

TEST_F(GateLookUpTest, TakesTheMiltersWord) {
  FakeMilter milter(path(), honest);
  const Taken taken = ask();
  ASSERT_TRUE(taken.answer.onward);
  EXPECT_EQ(taken.answer.onward->envid, "e@h.example");
  EXPECT_EQ(taken.answer.onward->mtrk.timeout, Seconds(60));
  EXPECT_EQ(taken.answer.queue_id, "4jWzjj46J4z1V");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(passes_on());
  }
  EXPECT_EQ(milter.connections(), 1);
}

TEST_F(GateLookUpTest, WaitsAtItsStartAsLongAsForAnAnswer) {
  std::unique_ptr<FakeMilter> milter;
  std::thread later([&] {
    std::this_thread::sleep_for(60ms);
    milter = std::make_unique<FakeMilter>(path(), honest);
  });
  EXPECT_TRUE(passes_on());
  later.join();
}

TEST_F(GateLookUpTest, ThatNobodyIsThereCostsTheFirstMessagesALittleAndTheOthersNothing) {
  const Taken first = ask();
  EXPECT_FALSE(first.answer.onward);
  EXPECT_LT(first.time, 2s);
  for (int i = 0; i < 50; ++i) {
    const Taken taken = ask();
    EXPECT_FALSE(taken.answer.onward);
    EXPECT_LT(taken.time, 200ms);
  }
}

TEST_F(GateLookUpTest, ComesBackByItselfWhenTheMilterDoes) {
  EXPECT_FALSE(passes_on());
  FakeMilter milter(path(), honest);
  EXPECT_TRUE(comes_true([this] { return passes_on(); }));
}

TEST_F(GateLookUpTest, OneThatIsSilentIsAskedOnceAndThenNotWaitedFor) {
  FakeMilter milter(path(), [](const Question& question) {
    return question.about ? std::string() : honest(question);
  });
  const Taken first = ask();
  EXPECT_FALSE(first.answer.onward);
  EXPECT_GE(first.time, 290ms);
  EXPECT_EQ(milter.questions(), 1);
}

TEST_F(GateLookUpTest, OneThatIsStoppedFromTheBeginningCostsNothingAfterTheFirst) {
  FakeMilter milter(path(), [](const Question&) { return std::string(); });
  EXPECT_FALSE(passes_on());
  for (int i = 0; i < 20; ++i) {
    EXPECT_LT(ask().time, 200ms);
  }
  EXPECT_EQ(milter.questions(), 0);
}

TEST_F(GateLookUpTest, AnythingButItsAnswerEndsTheConnection) {
  std::string sent;
  FakeMilter milter(
      path(), [&](const Question& question) { return question.about ? sent : honest(question); });
  std::string other;
  onward_wire::put_answer(other, {4711, passed_on()});
  OnwardVerdict hostile = passed_on();
  hostile.envid = "e@h\r\nRSET";
  std::string injecting;
  onward_wire::put_answer(injecting, {2, hostile});
  for (const std::string& octets :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("\xff\xff\xff\xff"), other,
        std::string(5, '\0'), injecting, std::string("\0\0\0\6\2\202\0\0\0\2", 10)}) {
    sent = octets;
    EXPECT_TRUE(comes_true([&] {
      const int before = milter.questions();
      EXPECT_FALSE(passes_on());
      return milter.questions() > before;  // it was asked
    })) << testing::PrintToString(octets);
  }
}

// An answer that nobody asked for, and one to a question twice.
TEST_F(GateLookUpTest, OneAnswerToAQuestion) {
  FakeMilter milter(path(), [](const Question& question) {
    return honest(question) + (question.about ? honest(question) : "");
  });
  EXPECT_TRUE(passes_on());
  EXPECT_TRUE(comes_true([&] {
    static_cast<void>(passes_on());
    return milter.connections() > 1;
  }));
}

TEST_F(GateLookUpTest, HalfAnAnswerIsNone) {
  FakeMilter milter(path(), [](const Question& question) {
    return question.about ? honest(question).substr(0, 9) : honest(question);
  });
  EXPECT_FALSE(passes_on());
}

TEST_F(GateLookUpTest, OneThatIsStartedAgainIsWaitedFor) {
  auto milter = std::make_unique<FakeMilter>(path(), honest);
  EXPECT_TRUE(passes_on());
  milter.reset();
  std::thread later([&] {
    std::this_thread::sleep_for(60ms);
    milter = std::make_unique<FakeMilter>(path(), honest);
  });
  context_.run_for(10ms);
  EXPECT_TRUE(passes_on());
  later.join();
}

TEST_F(GateLookUpTest, OneThatClosesAtEachQuestionDelaysNobody) {
  FakeMilter milter(path(), [](const Question& question) {
    return question.about ? std::nullopt : std::optional(honest(question));
  });
  for (int i = 0; i < 20; ++i) {
    const Taken taken = ask();
    EXPECT_FALSE(taken.answer.onward);
    EXPECT_LT(taken.time, 300ms + 200ms);
  }
}

TEST_F(GateLookUpTest, OneThatAlwaysWantsToBeAskedAgainIsNot) {
  FakeMilter milter(path(), [](const Question& question) {
    OnwardVerdict verdict;
    verdict.kind = OnwardVerdict::Kind::ask_again;
    std::string out;
    onward_wire::put_answer(
        out, {question.number, question.about ? std::optional(verdict) : std::nullopt});
    return out;
  });
  const Taken taken = ask();
  EXPECT_FALSE(taken.answer.onward);
  EXPECT_GE(taken.time, 1400ms);
}

TEST_F(GateLookUpTest, ALargeQuestionComesThroughInPieces) {
  FakeMilter milter(path(), honest);
  EXPECT_TRUE(ask(1000).answer.onward);  // half a megabyte
  EXPECT_TRUE(passes_on());
}

TEST_F(GateLookUpTest, ManyAtOnceEachGetTheirs) {
  FakeMilter milter(path(), [](const Question& question) {
    OnwardVerdict verdict = passed_on();
    if (question.about) {
      verdict.queue_id = question.about->queue_id;
    }
    std::string out;
    onward_wire::put_answer(
        out, {question.number, question.about ? std::optional(verdict) : std::nullopt});
    return out;
  });
  int done = 0;
  for (int i = 0; i < 500; ++i) {
    smtp::GateOnwardSession::Transaction about;
    about.queue_id = "4jW" + std::to_string(100000 + i);
    boost::asio::co_spawn(
        context_, look_up_.look_up(about),
        [&done, id = about.queue_id](const std::exception_ptr& failure, const Answer& answer) {
          EXPECT_FALSE(failure);
          EXPECT_EQ(answer.queue_id, id);
          ++done;
        });
  }
  EXPECT_TRUE(comes_true([&] { return done == 500; }));
}

}  // namespace
}  // namespace mtrk::gate
