// What a log may do to the order of things, against the store: clocks that jump (THR-B7),
// lines out of order (THR-B8), queue ids that are given out again at once (THR-B9).
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"
#include "tests/support/scratch_directory.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk {
namespace {

const TimePoint kArrival{Seconds(1'795'000'000)};

class LogOrderTest : public testing::Test {
 protected:
  LogOrderTest() {
    store::WriterOptions options;
    options.path = directory_.path();
    options.max_size = std::uint64_t{64} << 20;
    writer_ = std::make_unique<store::TrackingWriter>(options, store::Create::if_missing);
  }

  void capture(std::string_view name, std::string_view queue_id, std::string_view recipient) {
    const TypedAddress address{"rfc822", std::string(recipient)};
    writer_->begin();
    EXPECT_EQ(writer_->put_capture({QueueId::parse(queue_id).value(),
                                    envelope_id(name),
                                    certifier_,
                                    std::nullopt,
                                    {"dns", "mx.example.test"},
                                    kArrival,
                                    Minutes(0),
                                    ++ticket_,
                                    store::Stage::final,
                                    {{address, address}}}),
              store::Kept::stored);
    writer_->commit();
  }

  // A line of Postfix, its stamp so long after the arrival.
  void log(Seconds after, std::string_view text) {
    const std::string line =
        fmt::format("{} mx postfix/{}", format_rfc3339(kArrival + after), text);
    writer_->begin();
    const auto parts = maillog::split_log_line(line, {});
    ASSERT_TRUE(parts) << line;
    EXPECT_NE(parser_.parse(*parts,
                            [this](const maillog::DeliveryEvent& event) { writer_->apply(event); }),
              maillog::LineKind::unparsed);
    writer_->commit();
  }
  void queued(Seconds after, std::string_view id) {
    log(after, fmt::format("qmgr[1]: {}: from=<s@a.test>, size=1, nrcpt=1 (queue active)", id));
  }
  void attempt(Seconds after, std::string_view id, std::string_view to, std::string_view outcome) {
    log(after, fmt::format("virtual[2]: {}: to=<{}>, relay=virtual, delay=1, delays=1/0/0/0, {}",
                           id, to, outcome));
  }
  void removed(Seconds after, std::string_view id) {
    log(after, fmt::format("qmgr[1]: {}: removed", id));
  }

  std::string action(std::string_view name) const {
    const auto found =
        store::TrackingReader(directory_.path()).find(envelope_id(name), certifier_, kArrival);
    if (found.messages.size() != 1) {
      return fmt::format("{} messages", found.messages.size());
    }
    return std::string(action_name(found.messages[0].recipients.at(0).outcome));
  }

  static constexpr std::string_view kSent = "dsn=2.0.0, status=sent (delivered to mailbox)";
  static constexpr std::string_view kDeferred = "dsn=4.2.2, status=deferred (mailbox full)";
  static constexpr std::string_view kBounced = "dsn=5.1.1, status=bounced (unknown user)";

  static EnvelopeId envelope_id(std::string_view name) {
    return EnvelopeId::from_decoded(std::string(name) + "@a.test").value();
  }
  static std::string_view action_name(const Outcome& outcome);

  test::ScratchDirectory directory_;
  TrackingCertifier certifier_ = TrackingCertifier::from_octets({1, 2, 3});
  std::unique_ptr<store::TrackingWriter> writer_;
  maillog::LogParser parser_{Mta::postfix};
  std::uint64_t ticket_ = 0;
};

std::string_view LogOrderTest::action_name(const Outcome& outcome) {
  if (std::holds_alternative<Delivered>(outcome)) {
    return "delivered";
  }
  if (std::holds_alternative<Failed>(outcome)) {
    return "failed";
  }
  return std::holds_alternative<Delayed>(outcome) ? "delayed" : "other";
}

constexpr std::string_view kQueueId = "4jWabc123zZZZZ";
constexpr std::string_view kTo = "bob@b.test";
constexpr Seconds kJumps[] = {Seconds(3600), Seconds(-3600), Seconds(365 * 86400),
                              Seconds(-365 * 86400)};

TEST_F(LogOrderTest, ALaterLineCountsWhateverItsClock) {  // THR-B7
  int number = 0;
  for (const Seconds jump : kJumps) {
    const std::string name = "jump" + std::to_string(number);
    const std::string id = "4jWabc" + std::to_string(100 + number++) + "zZZZZ";
    capture(name, id, kTo);
    queued(Seconds(1), id);
    attempt(Seconds(2), id, kTo, kDeferred);
    EXPECT_EQ(action(name), "delayed");
    attempt(Seconds(3) + jump, id, kTo, kSent);
    EXPECT_EQ(action(name), "delivered") << jump.count();
  }
}

TEST_F(LogOrderTest, WhatHasEndedNeverGoesBackToDelayed) {  // THR-B7
  int number = 0;
  for (const Seconds jump : kJumps) {
    const std::string name = "jump" + std::to_string(number);
    const std::string id = "4jWabc" + std::to_string(100 + number++) + "zZZZZ";
    capture(name, id, kTo);
    queued(Seconds(1), id);
    attempt(Seconds(2), id, kTo, number % 2 == 0 ? kSent : kBounced);
    attempt(Seconds(3) + jump, id, kTo, kDeferred);
    EXPECT_EQ(action(name), number % 2 == 0 ? "delivered" : "failed") << jump.count();
    removed(Seconds(4), id);
    EXPECT_EQ(action(name), number % 2 == 0 ? "delivered" : "failed") << jump.count();
  }
}

TEST_F(LogOrderTest, RemovedMayComeBeforeTheOutcome) {  // THR-B8
  capture("one", kQueueId, kTo);
  queued(Seconds(1), kQueueId);
  removed(Seconds(2), kQueueId);
  attempt(Seconds(2), kQueueId, kTo, kSent);
  EXPECT_EQ(action("one"), "delivered");
}

TEST_F(LogOrderTest, AnOutcomeMayComeBeforeTheLineThatQueuesIt) {  // THR-B8
  capture("one", kQueueId, kTo);
  attempt(Seconds(1), kQueueId, kTo, kBounced);
  queued(Seconds(1), kQueueId);
  EXPECT_EQ(action("one"), "failed");
}

TEST_F(LogOrderTest, AQueueIdGivenOutAgainWithinASecondIsAnotherMessage) {  // THR-B9
  capture("first", "3ABCDEF", kTo);
  queued(Seconds(1), "3ABCDEF");
  attempt(Seconds(1), "3ABCDEF", kTo, kSent);
  removed(Seconds(1), "3ABCDEF");
  capture("second", "3ABCDEF", kTo);
  queued(Seconds(1), "3ABCDEF");
  attempt(Seconds(1), "3ABCDEF", kTo, kBounced);
  removed(Seconds(1), "3ABCDEF");
  EXPECT_EQ(action("first"), "delivered");
  EXPECT_EQ(action("second"), "failed");
}

TEST_F(LogOrderTest, ANewCaptureEndsTheOldOneEvenIfItsEndWasNotLogged) {  // THR-B9
  capture("first", "3ABCDEF", kTo);
  queued(Seconds(1), "3ABCDEF");
  attempt(Seconds(1), "3ABCDEF", kTo, kSent);
  capture("second", "3ABCDEF", kTo);
  EXPECT_EQ(action("second"), "delayed");
  attempt(Seconds(2), "3ABCDEF", kTo, kBounced);
  EXPECT_EQ(action("first"), "delivered");
  EXPECT_EQ(action("second"), "failed");
}

}  // namespace
}  // namespace mtrk
