#include "milter/writer/log_applier.h"

#include "common/base/time.h"
#include "common/store/tracking_reader.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "milter/log/source.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace mtrk {
namespace {

const TimePoint kArrival = std::chrono::floor<Seconds>(std::chrono::system_clock::now());

class LogApplierTest : public testing::Test {
 protected:
  LogApplierTest() {
    open();
    in_transaction([&] {
      const TypedAddress bob{"rfc822", "bob@b.test"};
      ASSERT_EQ(store_->put_capture({
                    .queue_id = QueueId::parse("4ABCDEF123").value(),
                    .envelope_id = envelope_id_,
                    .certifier = certifier_,
                    .timeout = std::nullopt,
                    .reporting_mta = {"dns", "mx.example.test"},
                    .arrival = kArrival,
                    .utc_offset = Minutes(0),
                    .ticket = 1,
                    .stage = store::Stage::final,
                    .recipients = {{bob, bob}},
                }),
                store::Kept::stored);
    });
  }

  void open() {
    store_.reset();
    store::WriterOptions options;
    options.path = directory_.path();
    options.max_size = std::uint64_t{64} << 20;
    store_ = std::make_unique<store::TrackingWriter>(options, store::Create::if_missing);
  }
  template <typename Work>
  void in_transaction(Work&& work) {
    store_->begin();
    work();
    store_->commit();
  }

  static std::string line(const std::string& what) {
    return format_rfc3339(kArrival) + " mx postfix/" + what + '\n';
  }
  static LogLines chunk(std::string lines) {
    LogLines chunk;
    chunk.source = "file:/log";
    chunk.lines = std::move(lines);
    chunk.reference = kArrival;
    return chunk;
  }
  LogApplier::Tally apply(const LogLines& lines) {
    LogApplier::Tally tally;
    in_transaction([&] { tally = applier_.apply(lines, *store_); });
    return tally;
  }

  // The forwarded copy is on its way before the line that tells whose it is.
  static LogLines copy_delivered() {
    return chunk(
        line("cleanup[3]: 4ABCDEF456: message-id=<m@a.test>") +
        line("qmgr[1]: 4ABCDEF456: from=<s@a.test>, size=1, nrcpt=1 (queue active)") +
        line(
            "local[2]: 4ABCDEF456: to=<robert@b.test>, orig_to=<bob@b.test>, relay=local, delay=0, "
            "delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)") +
        line("qmgr[1]: 4ABCDEF456: removed"));
  }
  static LogLines parent_forwarded() {
    return chunk(
        line("local[2]: 4ABCDEF123: to=<bob@b.test>, relay=local, delay=0, delays=0/0/0/0, "
             "dsn=2.0.0, status=sent (forwarded as 4ABCDEF456)"));
  }
  [[nodiscard]] Action action() const {
    const auto messages =
        store::TrackingReader(directory_.path()).find(envelope_id_, certifier_, kArrival).messages;
    return action_of(messages.at(0).recipients.at(0).outcome);
  }

  test::ScratchDirectory directory_;
  EnvelopeId envelope_id_ = EnvelopeId::from_decoded("id@a.test").value();
  TrackingCertifier certifier_ = TrackingCertifier::from_octets({1, 2, 3});
  std::unique_ptr<store::TrackingWriter> store_;
  Counters counters_;
  LogApplier applier_{Mta::postfix, counters_};
};

TEST_F(LogApplierTest, TalliesEachLineOfAChunk) {
  const LogApplier::Tally tally =
      apply(chunk(line("qmgr[1]: 4ABCDEF123: from=<s@a.test>, size=1, nrcpt=1 (queue active)") +
                  line("smtpd[1]: connect from unknown[192.0.2.1]") + "no header of a log\n" +
                  line("smtp[1]: 4ABCDEF789: to=<a@b.test>, status=sent and nothing else") +
                  line("qmgr[1]: " + std::string(LogSource::kMaxLine, 'x')) +
                  line("qmgr[1]: 4ABCDEF789: removed")));
  EXPECT_EQ(tally.lines, 6U);
  EXPECT_EQ(tally.events, 2U);
  EXPECT_EQ(tally.applied, 1U);
  EXPECT_EQ(tally.ignored, 2U);
  EXPECT_EQ(tally.unparsed, 1U);
  EXPECT_EQ(tally.truncated, 1U);
  EXPECT_EQ(counters_.lines, 0U);  // that is for the commit
  tally.count_in(counters_);
  EXPECT_EQ(counters_.lines, 6U);
}

// Where a daemon may meet them: containers, busybox, terminals.
TEST_F(LogApplierTest, ReadsWhateverHeaderTheLogHas) {
  const std::string time = format_rfc3339(kArrival);
  const std::string text =
      "4ABCDEF123: to=<bob@b.test>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, "
      "status=sent (delivered to mailbox)";
  const std::string plain = time + " mx postfix/local[2]: " + text;
  for (const std::string& logged :
       {plain + "\r", plain + "\x1b[0m\r", plain + " ", plain + "#015",
        time + " mx mail.info postfix/local[2]: " + text, time + "  mx\tpostfix/local[2]: " + text,
        "postfix-1  | " + plain, time + " stdout F " + plain, "<22>" + plain,
        time + " postfix/local[2]: " + text, time + " relay " + plain,
        time + " mx postfix/local[2]: [ID 197553 mail.info] " + text,
        R"({"log":")" + plain + R"(\r\n","stream":"stdout","time":")" + time + R"("})"}) {
    const LogApplier::Tally tally = apply(chunk(logged + "\n"));
    EXPECT_EQ(tally.lines, 1U) << logged;
    EXPECT_EQ(tally.events, 1U) << logged;
    EXPECT_EQ(tally.unknown_format, 0U) << logged;
  }
  EXPECT_EQ(action(), Action::delivered);
}

TEST_F(LogApplierTest, SaysOnceASourceThatItsFormatIsUnknown) {
  const std::string unknown =
      "?? 10:00 postfix/local[2]: 4ABCDEF123: to=<bob@b.test>, relay=local, status=sent (ok)\n";
  testing::internal::CaptureStderr();
  const LogApplier::Tally tally = apply(chunk(unknown + unknown + "no header of a log\n"));
  apply(chunk(unknown));
  LogLines of_another = chunk(unknown);
  of_another.source = "file:/other";
  apply(of_another);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(tally.unknown_format, 2U);
  EXPECT_EQ(tally.ignored, 3U);
  std::size_t warnings = 0;
  for (std::size_t at = said.find("unknown-format"); at != std::string::npos;
       at = said.find("unknown-format", at + 1)) {
    ++warnings;
  }
  EXPECT_EQ(warnings, 2U) << said;
  EXPECT_NE(said.find("4ABCDEF123: to="), std::string::npos) << said;
  tally.count_in(counters_);
  EXPECT_EQ(counters_.unknown_format, 2U);
}

TEST_F(LogApplierTest, ALastLineWithoutLineFeedCounts) {
  LogLines lines = copy_delivered();
  lines.lines.pop_back();
  EXPECT_EQ(apply(lines).lines, 4U);
  EXPECT_EQ(apply(chunk("")).lines, 0U);
}

TEST_F(LogApplierTest, LinesToWarmUpWithChangeNothingAndAddNothing) {
  LogLines lines =
      chunk(line("local[2]: 4ABCDEF123: to=<bob@b.test>, relay=local, delay=0, "
                 "delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)"));
  lines.warm_up = true;
  EXPECT_EQ(apply(lines).lines, 0U);
  EXPECT_NE(action(), Action::delivered);
  lines.warm_up = false;
  EXPECT_EQ(apply(lines).applied, 1U);
  EXPECT_EQ(action(), Action::delivered);
}

TEST_F(LogApplierTest, AReopenedStoreForgetsWhatItHeld) {
  apply(copy_delivered());
  open();
  apply(parent_forwarded());
  EXPECT_NE(action(), Action::delivered);
}

TEST_F(LogApplierTest, ReplayTeachesAReopenedStoreWhatWasRemembered) {
  apply(copy_delivered());
  applier_.remember(copy_delivered());
  open();
  applier_.replay(*store_);
  apply(parent_forwarded());
  EXPECT_EQ(action(), Action::delivered);
}

TEST_F(LogApplierTest, OnlyTheNewestLinesAreRemembered) {
  apply(copy_delivered());
  applier_.remember(copy_delivered());
  applier_.remember(chunk(std::string(LogSource::kWarmUp, 'x')));
  open();
  applier_.replay(*store_);
  apply(parent_forwarded());
  EXPECT_NE(action(), Action::delivered);
}

}  // namespace
}  // namespace mtrk
