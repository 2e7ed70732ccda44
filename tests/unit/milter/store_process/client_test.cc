// The mail side's end, with store processes that do as a test wants: they answer, die, hang.
#include "milter/store_process/client.h"

#include "common/base/exit_code.h"
#include "milter/store_process/wire.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <variant>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

store::Capture some_capture(std::uint64_t ticket) {
  return {.queue_id = QueueId::parse("4jWxyz100000").value(),
          .envelope_id = EnvelopeId::from_decoded("id@a.test").value(),
          .certifier = TrackingCertifier::from_octets({1, 2, 3}),
          .timeout = Seconds(86400),
          .reporting_mta = {"dns", "mx.example.test"},
          .arrival = TimePoint(Seconds(1'800'000'000)),
          .utc_offset = Minutes(-90),
          .ticket = ticket,
          .stage = store::Stage::provisional,
          .recipients = {{{"rfc822", "a@b.test"}, {"rfc822", "c@d.test"}},
                         {{"utf-8", "\xCE\xB4@b.test"}, {"rfc822", ""}}}};
}

// The other end of the connection, in the store process.
class FakeStore {
 public:
  explicit FakeStore(UniqueFd connection) : connection_(std::move(connection)) {
    say(store_wire::Ready{"file:/log"});
  }
  std::optional<store_wire::Message> hear() {
    for (;;) {
      auto message = frames_.next();
      if (!message) {
        return std::nullopt;
      }
      if (*message) {
        return **std::move(message);
      }
      char octets[100];
      const ssize_t got = ::recv(connection_.get(), octets, sizeof octets, 0);
      if (got <= 0) {
        return std::nullopt;
      }
      frames_.feed({octets, static_cast<std::size_t>(got)});
    }
  }
  void say(const store_wire::Message& message) {
    std::string frame;
    store_wire::append_frame(frame, message);
    for (const char octet : frame) {  // in the smallest pieces
      static_cast<void>(::send(connection_.get(), &octet, 1, MSG_NOSIGNAL));
    }
  }

 private:
  UniqueFd connection_;
  store_wire::Frames frames_;
};

class StoreClientTest : public testing::Test {
 protected:
  // What the store processes of a test and the test see.
  struct Seen {
    std::atomic<int> started{0};
    std::atomic<int> careful{0};
    std::atomic<int> hopeless{0};
    std::atomic<int> puts{0};
    std::atomic<int> finals{0};
    std::atomic<int> stops{0};
  };
  using Behave = std::function<int(Seen& seen, int generation, FakeStore& store)>;

  void begin(Behave behave, std::size_t most = 100) {
    void* const room =
        ::mmap(nullptr, sizeof(Seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    seen_ = new (room) Seen;
    wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    keeper_.emplace([this, behave](UniqueFd connection, StoreKeeper::Start start) {
      seen_->careful += start.careful ? 1 : 0;
      seen_->hopeless += start.hopeless ? 1 : 0;
      const int generation = seen_->started++;
      FakeStore store(std::move(connection));
      return behave(*seen_, generation, store);
    });
    client_.emplace(*keeper_, wake_.get(), breaker_, counters_, most);
  }
  // Commits what comes until told to stop.
  static int commit_all(Seen& seen, FakeStore& store) {
    while (const auto message = store.hear()) {
      if (const auto* put = std::get_if<store_wire::Put>(&*message)) {
        ++seen.puts;
        seen.finals += put->capture.stage == store::Stage::final ? 1 : 0;
        store.say(store_wire::Done{put->sequence, CommitResult::committed});
        store.say(store_wire::Batch{true, 1ms});
      } else if (std::holds_alternative<store_wire::Stop>(*message)) {
        ++seen.stops;
        return 0;
      }
    }
    return 1;
  }
  std::shared_ptr<CommitTicket> put(std::uint64_t number) {
    auto ticket = std::make_shared<CommitTicket>();
    return client_->put(some_capture(number), ticket) ? ticket : nullptr;
  }
  static std::optional<CommitResult> wait(CommitTicket& ticket) {
    return ticket.wait_until(Clock::now() + 20s);
  }

  Seen* seen_ = nullptr;
  UniqueFd wake_;
  CircuitBreaker breaker_;
  Counters counters_;
  std::optional<StoreKeeper> keeper_;
  std::optional<StoreClient> client_;
};

TEST_F(StoreClientTest, WhatIsPutComesOverAsItIs) {
  store_wire::Frames frames;
  std::string octets;
  store_wire::append_frame(octets, store_wire::Put{7, some_capture(3)});
  store_wire::append_frame(octets, store_wire::Confirm{8, 7, {"4jWxyz100000", 3}});
  store_wire::append_frame(octets, store_wire::Status{"text"});
  store_wire::make_final(octets);
  std::vector<store_wire::Message> heard;
  for (const char octet : octets) {  // split everywhere
    frames.feed({&octet, 1});
    auto message = frames.next();
    ASSERT_TRUE(message);
    if (*message) {
      heard.push_back(**std::move(message));
    }
  }
  ASSERT_EQ(heard.size(), 3U);
  const auto& put = std::get<store_wire::Put>(heard[0]);
  const store::Capture want = some_capture(3);
  EXPECT_EQ(put.sequence, 7U);
  EXPECT_EQ(put.capture.queue_id, want.queue_id);
  EXPECT_EQ(put.capture.envelope_id, want.envelope_id);
  EXPECT_EQ(put.capture.certifier.octets(), want.certifier.octets());
  EXPECT_EQ(put.capture.timeout, want.timeout);
  EXPECT_EQ(put.capture.reporting_mta, want.reporting_mta);
  EXPECT_EQ(put.capture.arrival, want.arrival);
  EXPECT_EQ(put.capture.utc_offset, want.utc_offset);
  EXPECT_EQ(put.capture.ticket, 3U);
  EXPECT_EQ(put.capture.stage, store::Stage::final);
  ASSERT_EQ(put.capture.recipients.size(), 2U);
  EXPECT_EQ(put.capture.recipients[1].original, want.recipients[1].original);
  EXPECT_EQ(std::get<store_wire::Confirm>(heard[1]).put, 7U);
  EXPECT_EQ(std::get<store_wire::Status>(heard[2]).text, "text");
}

TEST_F(StoreClientTest, OctetsThatAreNoFrameAreAnError) {
  for (const std::string& octets : {std::string("\0\0\0\0", 4), std::string("\xff\xff\xff\xff", 4),
                                    std::string("\0\0\0\1\x7f", 5), std::string("\0\0\0\3\0ab", 7),
                                    std::string("\0\0\0\2\4", 5) + "x"}) {
    store_wire::Frames frames;
    frames.feed(octets);
    const auto message = frames.next();
    if (octets.size() != 6) {  // a Begin says nothing, whatever follows
      EXPECT_FALSE(message) << octets.size();
    }
  }
}

TEST_F(StoreClientTest, ACaptureIsCommittedAndThatIsSaid) {
  begin([](Seen& seen, int, FakeStore& store) { return commit_all(seen, store); });
  ASSERT_EQ(client_->start(), std::nullopt);
  EXPECT_EQ(client_->log_name(), "file:/log");
  const auto ticket = put(1);
  ASSERT_TRUE(ticket);
  client_->hurry(*ticket, 1);
  EXPECT_EQ(wait(*ticket), CommitResult::committed);
  client_->stop();
  EXPECT_EQ(seen_->stops, 1);
  EXPECT_EQ(counters_.store_restarts, 0U);
}

TEST_F(StoreClientTest, WhatAProcessDiedWithIsSaidToTheNextOne) {
  for (const int signal : {SIGBUS, SIGSEGV, SIGABRT, SIGKILL}) {
    begin([signal](Seen& seen, int generation, FakeStore& store) {
      if (generation == 0) {
        while (const auto message = store.hear()) {
          if (std::holds_alternative<store_wire::Confirm>(*message)) {
            ::signal(signal, SIG_DFL);
            ::raise(signal);
          }
        }
      }
      return commit_all(seen, store);
    });
    ASSERT_EQ(client_->start(), std::nullopt);
    const auto ticket = put(1);
    ASSERT_TRUE(ticket);
    ASSERT_TRUE(client_->confirm({"4jWxyz100000", 1}, *ticket));
    client_->hurry(*ticket, 1);
    EXPECT_EQ(wait(*ticket), CommitResult::committed) << signal;
    EXPECT_EQ(seen_->started, 2);
    EXPECT_EQ(seen_->careful, 1);  // the second one looks at the store first
    EXPECT_EQ(seen_->finals, 1);   // and hears at once that the capture is final
    client_->stop();
    client_.reset();
    keeper_.reset();
  }
}

TEST_F(StoreClientTest, ACaptureThatKillsThreeProcessesIsGivenUp) {
  begin([](Seen& seen, int, FakeStore& store) {
    while (const auto message = store.hear()) {
      if (const auto* put = std::get_if<store_wire::Put>(&*message)) {
        if (put->capture.ticket == 13) {
          ::raise(SIGKILL);
        }
        ++seen.puts;
        store.say(store_wire::Done{put->sequence, CommitResult::committed});
      } else if (std::holds_alternative<store_wire::Stop>(*message)) {
        return 0;
      }
    }
    return 1;
  });
  ASSERT_EQ(client_->start(), std::nullopt);
  const auto bad = put(13);
  ASSERT_TRUE(bad);
  EXPECT_EQ(wait(*bad), CommitResult::failed);
  const auto good = put(14);
  ASSERT_TRUE(good);
  EXPECT_EQ(wait(*good), CommitResult::committed);
  EXPECT_EQ(seen_->started, 4);
  EXPECT_EQ(counters_.shed, 1U);
  client_->stop();
}

TEST_F(StoreClientTest, AStoreThatThreeProcessesCallDamagedIsGivenUp) {
  begin([](Seen& seen, int generation, FakeStore& store) {
    if (generation < 3) {  // each begins well, and finds out when it has something to write
      while (const auto message = store.hear()) {
        if (std::holds_alternative<store_wire::Begin>(*message)) {
          return exit_code::data_error;
        }
      }
    }
    return commit_all(seen, store);
  });
  ASSERT_EQ(client_->start(), std::nullopt);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (seen_->started < 4 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(seen_->hopeless, 1);  // the fourth alone
  const auto ticket = put(1);
  ASSERT_TRUE(ticket);
  client_->hurry(*ticket, 1);
  EXPECT_EQ(wait(*ticket), CommitResult::committed);
  client_->stop();
}

TEST_F(StoreClientTest, AProcessThatCannotServeTellsTheExitCode) {
  begin([](Seen&, int, FakeStore&) { return 0; });
  keeper_.emplace([](UniqueFd, StoreKeeper::Start) { return exit_code::no_permission; });
  EXPECT_EQ(client_->start(), exit_code::no_permission);
  client_->stop();
}

TEST_F(StoreClientTest, MoreThanThereIsRoomForIsShed) {
  begin(
      [](Seen&, int, FakeStore& store) {
        while (const auto message = store.hear()) {
          if (std::holds_alternative<store_wire::Stop>(*message)) {
            break;
          }
        }
        return 0;
      },
      3);
  ASSERT_EQ(client_->start(), std::nullopt);
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(put(i));
  }
  EXPECT_FALSE(put(3));
  client_->stop();
}

TEST_F(StoreClientTest, AProcessThatReadsNothingHoldsNobodyUp) {
  begin(
      [](Seen&, int generation, FakeStore& store) {
        if (generation == 0) {
          ::pause();
        }
        while (const auto message = store.hear()) {
          if (std::holds_alternative<store_wire::Stop>(*message)) {
            break;
          }
        }
        return 0;
      },
      5000);
  ASSERT_EQ(client_->start(), std::nullopt);
  const auto started = Clock::now();
  for (std::uint64_t i = 0; i < 5000; ++i) {
    ASSERT_TRUE(put(i)) << i;
  }
  EXPECT_LT(Clock::now() - started, 10s);
  keeper_->kill();
  client_->stop();
}

}  // namespace
}  // namespace mtrk
