#include "milter/writer/writer.h"

#include "common/store/tracking_reader.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr char kSource[] = "file:/log";
const TimePoint kNow = std::chrono::floor<Seconds>(std::chrono::system_clock::now());

// Makes every write to a file fail, as a full disk does.
class FullDisk {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

class StoreWriterTest : public testing::Test {
 protected:
  StoreWriterTest() {
    config_.store.path = directory_.path();
    config_.store.max_size = std::uint64_t{64} << 20;
  }
  ~StoreWriterTest() override { stop(); }

  void start() {
    queue_ = std::make_unique<StoreQueue>(1024, 1 << 20);
    writer_ = std::make_unique<StoreWriter>(config_, *queue_, breaker_, counters_);
    writer_->start();
  }
  void stop() { writer_.reset(); }

  static EnvelopeId envelope_id(int number) {
    return EnvelopeId::from_decoded("id" + std::to_string(number) + "@a.test").value();
  }
  static std::string queue_id(int number) { return "4jWxyz" + std::to_string(100000 + number); }

  bool push_capture(int number, store::Stage stage, std::shared_ptr<CommitTicket> ticket) {
    return queue_->push(PutCapture{{
                            .queue_id = QueueId::parse(queue_id(number)).value(),
                            .envelope_id = envelope_id(number),
                            .certifier = certifier_,
                            .timeout = std::nullopt,
                            .reporting_mta = {"dns", "mx.example.test"},
                            .arrival = kNow,
                            .utc_offset = Minutes(0),
                            .ticket = static_cast<std::uint64_t>(number),
                            .stage = stage,
                            .recipients = {{{"rfc822", "bob@b.test"}, {"rfc822", "bob@b.test"}}},
                        }},
                        std::move(ticket));
  }
  std::optional<CommitResult> capture(int number, store::Stage stage = store::Stage::final) {
    auto ticket = std::make_shared<CommitTicket>();
    if (!push_capture(number, stage, ticket)) {
      return std::nullopt;
    }
    queue_->hurry(*ticket, 1);
    return ticket->wait_until(Clock::now() + 10s);
  }

  void log(const std::string& lines) {
    LogLines item;
    item.source = kSource;
    item.lines = lines;
    offset_ += lines.size();
    item.cursor.inode = 1;
    item.cursor.offset = offset_;
    item.reference = kNow;
    ASSERT_TRUE(queue_->push_log(std::move(item)));
  }
  void log_delivery(int number) {
    const std::string head = format_rfc3339(kNow) + " mx postfix/";
    log(head + "qmgr[1]: " + queue_id(number) +
        ": from=<s@a.test>, size=1, nrcpt=1 (queue active)\n" + head +
        "local[2]: " + queue_id(number) +
        ": to=<bob@b.test>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, "
        "status=sent (delivered to mailbox)\n" +
        head + "qmgr[1]: " + queue_id(number) + ": removed\n");
  }
  void log_untracked() {
    log(format_rfc3339(kNow) + " mx postfix/smtpd[3]: connect from x[127.0.0.1]\n");
  }

  void await(const Counters::Value& value, std::uint64_t wanted) {
    const auto deadline = Clock::now() + 20s;
    while (value < wanted && Clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    ASSERT_GE(value, wanted);
  }

  std::vector<TrackedMessage> find(int number) const {
    return store::TrackingReader(directory_.path())
        .find(envelope_id(number), certifier_, kNow)
        .messages;
  }
  std::uint64_t stored_offset() {  // after stop()
    StoreQueue queue(1, 1);
    const auto cursor = StoreWriter(config_, queue, breaker_, counters_).cursor(kSource);
    return cursor ? cursor->offset : 0;
  }

  test::ScratchDirectory directory_;
  Config config_;
  Counters counters_;
  CircuitBreaker breaker_;
  TrackingCertifier certifier_ = TrackingCertifier::from_octets({1, 2, 3});
  std::unique_ptr<StoreQueue> queue_;
  std::unique_ptr<StoreWriter> writer_;
  std::uint64_t offset_ = 0;
};

TEST_F(StoreWriterTest, ACaptureIsThereWhenItsTicketIsDone) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  const auto messages = find(1);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].queued);
}

TEST_F(StoreWriterTest, AProvisionalCaptureIsNotShownAndCanBeDropped) {
  start();
  ASSERT_EQ(capture(1, store::Stage::provisional), CommitResult::committed);
  EXPECT_TRUE(find(1).empty());
  ASSERT_TRUE(queue_->push(DropCapture{queue_id(1), 1}, nullptr));
  log_delivery(1);
  await(counters_.lines, 3);
  EXPECT_EQ(counters_.applied, 0U);
}

TEST_F(StoreWriterTest, AConfirmedCaptureIsShown) {
  start();
  ASSERT_EQ(capture(1, store::Stage::provisional), CommitResult::committed);
  ASSERT_TRUE(queue_->push(ConfirmCapture{queue_id(1), 2}, nullptr));  // of another message
  ASSERT_EQ(capture(2, store::Stage::provisional), CommitResult::committed);
  EXPECT_TRUE(find(1).empty());
  ASSERT_TRUE(queue_->push(ConfirmCapture{queue_id(1), 1}, nullptr));
  ASSERT_EQ(capture(3, store::Stage::provisional), CommitResult::committed);
  EXPECT_EQ(find(1).size(), 1U);
  EXPECT_TRUE(find(2).empty());
}

TEST_F(StoreWriterTest, LogLinesBecomeOutcomesAndTheirPositionIsKept) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  log_delivery(1);
  await(counters_.lines, 3);
  EXPECT_EQ(counters_.events, 3U);
  EXPECT_GE(counters_.applied, 1U);
  const auto messages = find(1);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Delivered>(messages[0].recipients[0].outcome));
  stop();
  EXPECT_EQ(stored_offset(), offset_);
}

TEST_F(StoreWriterTest, UntrackedMailCostsOneCommitASecondAtMost) {
  start();
  const auto begun = Clock::now();
  std::uint64_t sent = 0;
  while (Clock::now() - begun < 1500ms) {
    log_untracked();
    await(counters_.lines, ++sent);
  }
  EXPECT_LE(counters_.commits, 3U);
  EXPECT_GT(sent, 5U);  // batches that would have been commits
  stop();
  EXPECT_EQ(stored_offset(), offset_);
}

TEST_F(StoreWriterTest, AFailedCommitShedsItsCaptures) {
  start();
  {
    const FullDisk full;
    EXPECT_EQ(capture(1), CommitResult::failed);
  }
  EXPECT_EQ(counters_.shed, 1U);
  EXPECT_EQ(capture(2), CommitResult::committed);
  EXPECT_TRUE(find(1).empty());
}

TEST_F(StoreWriterTest, AFailedCommitLosesNoLogLineAndAppliesNoneTwice) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  auto late = std::make_shared<CommitTicket>();
  {
    const FullDisk full;
    log_delivery(1);
    await(counters_.commit_failures, 1);
    push_capture(2, store::Stage::final, late);  // waits behind the lines
  }
  await(counters_.lines, 3);
  EXPECT_EQ(late->wait_until(Clock::now() + 10s), CommitResult::committed);
  const auto messages = find(1);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Delivered>(messages[0].recipients[0].outcome));
  EXPECT_EQ(counters_.lines, 3U);
  stop();
  EXPECT_EQ(stored_offset(), offset_);
}

TEST_F(StoreWriterTest, ThreeFailuresReopenTheStore) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  {
    const FullDisk full;
    log_delivery(1);
    await(counters_.commit_failures, 3);
  }
  await(counters_.lines, 3);
  EXPECT_GE(counters_.reopened, 1U);
  EXPECT_EQ(capture(2), CommitResult::committed);
}

TEST_F(StoreWriterTest, StopsAlthoughTheStoreRefuses) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  const FullDisk full;
  log_delivery(1);
  const auto begun = Clock::now();
  stop();
  EXPECT_LT(Clock::now() - begun, 5s);
}

// THR-L4
TEST_F(StoreWriterTest, AFullStoreShedsCapturesAndMailGoesOn) {
  config_.store.max_size = 512 << 10;
  start();
  int stored = 0;
  int refused = 0;
  for (int i = 0; i < 10'000 && refused < 50; i += 100) {
    std::vector<std::shared_ptr<CommitTicket>> tickets(100);
    for (int k = 0; k < 100; ++k) {
      tickets[static_cast<std::size_t>(k)] = std::make_shared<CommitTicket>();
      ASSERT_TRUE(push_capture(i + k, store::Stage::final, tickets[static_cast<std::size_t>(k)]));
    }
    for (const auto& ticket : tickets) {
      const auto result = ticket->wait_until(Clock::now() + 10s);
      ASSERT_TRUE(result);
      ++(result == CommitResult::committed ? stored : refused);
    }
  }
  EXPECT_GE(refused, 50);
  EXPECT_GT(stored, 10);
  EXPECT_EQ(counters_.shed, static_cast<std::uint64_t>(refused));
  log_delivery(1);  // the log goes on
  await(counters_.lines, 3);
  EXPECT_GE(counters_.applied, 1U);
}

TEST_F(StoreWriterTest, ReloadTakesOverRetention) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  config_.retention.default_ = Seconds(2 * 24 * 3600);
  writer_->reconfigure(config_);
  ASSERT_TRUE(capture(2));  // wakes it
  ASSERT_EQ(capture(3), CommitResult::committed);
  EXPECT_EQ(find(1)[0].expires_at, kNow + Seconds(9 * 24 * 3600));
  EXPECT_EQ(find(3)[0].expires_at, kNow + Seconds(2 * 24 * 3600));
}

TEST_F(StoreWriterTest, CountsWhatItDoesNotUnderstand) {
  start();
  log("garbage\n" + format_rfc3339(kNow) + " mx postfix/smtp[1]: 4ABCDEF123: to=<a@b>, relay\n" +
      std::string(70'000, 'x') + "\n" + format_rfc3339(kNow) + " mx sshd[1]: hello\n");
  await(counters_.lines, 4);
  EXPECT_EQ(counters_.unparsed, 1U);
  EXPECT_EQ(counters_.truncated, 1U);
  EXPECT_EQ(counters_.ignored, 2U);
}

TEST_F(StoreWriterTest, PublishesItsCounters) {
  start();
  ASSERT_EQ(capture(1), CommitResult::committed);
  stop();
  std::ifstream file(directory_.path("milter.stats"));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("\ncommits "), std::string::npos) << text;
}

}  // namespace
}  // namespace mtrk
