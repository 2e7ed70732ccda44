#include "milter/log/journal_source.h"

#include "tests/support/journal_files.h"

#include <gtest/gtest.h>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using test::entry;

// Reads journal files in a directory of its own; time passes only by advance().
class JournalLogSourceTest : public testing::Test {
 protected:
  void open(const std::optional<store::LogCursor>& resume = std::nullopt) {
    source_.reset();
    source_ = std::make_unique<JournalLogSource>(
        journal_.path(), JournalJudge(Mta::postfix, {"0", "101"}), resume, counters_);
  }
  void open_at_start() { open(store::LogCursor()); }
  void reopen() { open(cursor_); }

  // The texts of all that can be had now; `cursor_` is what would be stored.
  std::string read() {
    std::string all;
    while (const std::optional<LogLines> lines = source_->next(now_)) {
      all += lines->lines;
      cursor_ = lines->cursor;
    }
    std::string texts;
    for (std::size_t begin = 0; begin < all.size(); begin = all.find('\n', begin) + 1) {
      const std::size_t text = all.find("]: ", begin) + 3;
      texts += all.substr(text, all.find('\n', begin) + 1 - text);
    }
    return texts;
  }

  void log(std::string_view text) { journal_.add(entry("postfix/smtp", text)); }
  void write(std::string_view name = "system.journal") { journal_.write(name); }

  test::JournalFiles journal_;
  Counters counters_;
  std::unique_ptr<JournalLogSource> source_;
  std::optional<store::LogCursor> cursor_;
  LogSource::Clock::time_point now_{1000s};
};

TEST_F(JournalLogSourceTest, AnEntryIsASyslogLine) {
  journal_.add(entry("postfix/submission/smtpd", "AAAAAA: client=x[192.0.2.1]")
                   .at(1'795'000'000'123'456)
                   .with("SYSLOG_PID", "1"));
  write();
  open_at_start();
  const std::optional<LogLines> lines = source_->next(now_);
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->lines,
            "2026-11-18T11:06:40.123456Z mx postfix/submission/smtpd[4711]: "
            "AAAAAA: client=x[192.0.2.1]\n");
  EXPECT_EQ(lines->source, "journal:" + journal_.path());
  EXPECT_FALSE(lines->cursor.journal.empty());
}

TEST_F(JournalLogSourceTest, TheTimeIsWhenJournaldReceivedItIfItSaysSo) {
  journal_.add(entry("postfix/smtp", "text")
                   .at(1'795'000'009'000'000)
                   .with("_SOURCE_REALTIME_TIMESTAMP", "1795000000000001")
                   .with("SYSLOG_TIMESTAMP", "Jan  1 00:00:00 "));
  write();
  open_at_start();
  EXPECT_TRUE(source_->next(now_)->lines.starts_with("2026-11-18T11:06:40.000001Z "));
}

TEST_F(JournalLogSourceTest, WithoutAPositionItBeginsAtTheEnd) {
  log("old");
  write();
  open();
  EXPECT_FALSE(source_->cursor().journal.empty());
  EXPECT_EQ(read(), "");
  log("new");
  write();
  EXPECT_EQ(read(), "new\n");
}

TEST_F(JournalLogSourceTest, WhereNothingIsYetItBeginsAtTheStart) {
  open();
  EXPECT_TRUE(source_->cursor().journal.empty());
  cursor_ = source_->cursor();
  log("first");
  write();
  reopen();  // killed before anything was stored but that position
  EXPECT_EQ(read(), "first\n");
}

TEST_F(JournalLogSourceTest, ContinuesAtAPosition) {
  log("one");
  log("two");
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\ntwo\n");
  log("three");
  write();
  reopen();
  EXPECT_EQ(read(), "three\n");
  reopen();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(JournalLogSourceTest, AJournalThatAppearsLaterIsRead) {
  Counters counters;
  const std::string later = journal_.path() + "/later";
  JournalLogSource source(later, JournalJudge(Mta::postfix, {"101"}), std::nullopt, counters);
  EXPECT_EQ(source.watch(), -1);
  EXPECT_FALSE(source.next(now_));
  std::filesystem::create_directory(later);
  log("one");
  write("later/system.journal");
  const std::optional<LogLines> lines = source.next(now_);
  ASSERT_TRUE(lines);
  EXPECT_NE(lines->lines.find("one"), std::string::npos);
}

TEST_F(JournalLogSourceTest, RotationGoesOnInTheNextFile) {  // THR-B11
  log("one");
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\n");
  log("two");
  write();
  journal_.rename("system.journal", "system@0000-1.journal");
  log("three");
  write();
  EXPECT_EQ(read(), "two\nthree\n");
  journal_.rename("system.journal", "system@0000-2.journal");
  reopen();
  log("four");
  write();
  EXPECT_EQ(read(), "four\n");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(JournalLogSourceTest, AfterAVacuumGoesOnAtTheOldestNewerEntryAndCountsAGap) {  // THR-B11
  log("one");
  write("a.journal");
  open_at_start();
  EXPECT_EQ(read(), "one\n");
  log("lost");
  write("a.journal");
  log("two");
  log("three");
  write("b.journal");
  source_.reset();
  journal_.remove("a.journal");
  reopen();
  EXPECT_EQ(read(), "two\nthree\n");
  EXPECT_EQ(counters_.gaps, 1U);
  reopen();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(JournalLogSourceTest, AVacuumNeverBringsOldEntriesBack) {
  log("older");
  write("a.journal");
  log("one");
  write("b.journal");
  open_at_start();
  EXPECT_EQ(read(), "older\none\n");
  source_.reset();
  journal_.remove("b.journal");
  reopen();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(counters_.gaps, 1U);
  log("two");
  write("c.journal");
  EXPECT_EQ(read(), "two\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(JournalLogSourceTest, AVacuumOfWhatWasNotReadYetIsAGapWhileRunning) {
  log("one");
  write("a.journal");
  open_at_start();
  EXPECT_EQ(read(), "one\n");
  (void)source_->watch();
  journal_.remove("a.journal");
  log("two");
  write("b.journal");
  EXPECT_EQ(read(), "two\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(JournalLogSourceTest, SuppressedMessagesOfTheMtaAreAGap) {  // THR-B12
  const auto suppressed = [](std::string_view message) {
    return entry("systemd-journald", message)
        .with("_TRANSPORT", "driver")
        .with("_COMM", "systemd-journal")
        .with("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e")
        .with("_UID", "0");
  };
  log("one");
  journal_.add(suppressed("Suppressed 42 messages from postfix@-.service").with("N_DROPPED", "42"));
  journal_.add(suppressed("Suppressed 7 messages from postfix@second.service"));
  journal_.add(suppressed("Suppressed 99 messages from chatty.service").with("N_DROPPED", "99"));
  // Anybody can say so; only journald's own way of saying it counts.
  journal_.add(suppressed("Suppressed 5 messages from postfix@-.service")
                   .with("N_DROPPED", "5")
                   .with("_TRANSPORT", "journal"));
  log("two");
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\ntwo\n");
  EXPECT_EQ(counters_.gaps, 2U);
  EXPECT_EQ(counters_.suppressed, 49U);
}

TEST_F(JournalLogSourceTest, SuppressedMessagesOfTheUnitTheMtaRunsInAreAGapWhateverItsName) {
  journal_.add(entry("postfix/smtp", "one").with("_SYSTEMD_UNIT", "mail-stack.service"));
  journal_.add(entry("systemd-journald", "Suppressed 3 messages from mail-stack.service")
                   .with("_TRANSPORT", "driver")
                   .with("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"));
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\n");
  EXPECT_EQ(counters_.suppressed, 3U);
}

TEST_F(JournalLogSourceTest, EntriesOfOtherAccountsAndProgramsAreNotBelieved) {  // THR-G8
  const std::string_view forged =
      "AAAAAA: to=<v@x>, relay=r, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (x)";
  journal_.add(entry("postfix/smtp", forged).with("_UID", "1000"));
  journal_.add(entry("postfix/smtp", forged).with("_UID", "1000").with("_COMM", "logger"));
  journal_.add(entry("postfix/smtp", forged).with("_UID", "0").with("_COMM", "rsyslogd"));
  journal_.add(entry("postfix/smtp", forged).with("_TRANSPORT", "journal"));
  journal_.add(entry("postfix/smtp", forged).with("_TRANSPORT", "stdout"));
  journal_.add(entry("postfix/smtp", forged).without("_UID"));
  journal_.add(entry("postfix/smtp", forged).without("_UID").with("UID", "0"));
  journal_.add(entry("postfix/smtp[1]: x postfix/smtp", forged));
  journal_.add(entry("sudo", forged).with("_UID", "0").with("_COMM", "sudo"));
  journal_.add(entry("postfix/postdrop", "warning: mine").with("_UID", "1000"));
  log("true");
  write();
  open_at_start();
  EXPECT_EQ(read(), "true\n");
  EXPECT_EQ(counters_.untrusted, 8U);
  EXPECT_EQ(counters_.gaps, 0U);
}

// It works for Postfix, under its account, and alone says under which queue id it put a message
// back.
TEST_F(JournalLogSourceTest, MailScannerIsBelievedUnderPostfixAccount) {
  journal_.add(entry("MailScanner", "Requeue: 063FD412A2.A8366 to 9E02D664D3C"));
  journal_.add(entry("MailScanner", "Requeue: forged").with("_UID", "1000"));
  journal_.add(entry("MailScanner", "Requeue: forged").with("_TRANSPORT", "stdout"));
  write();
  open_at_start();
  EXPECT_EQ(read(), "Requeue: 063FD412A2.A8366 to 9E02D664D3C\n");
}

TEST_F(JournalLogSourceTest, AProcessThatEndedTooSoonToBeAskedIsBelievedByItsAccount) {
  journal_.add(entry("postfix/smtp", "text").without("_COMM").without("_SYSTEMD_UNIT"));
  write();
  open_at_start();
  EXPECT_EQ(read(), "text\n");
}

TEST_F(JournalLogSourceTest, ATextNeverMakesASecondLine) {
  log("one\n2026-11-18T11:06:40Z mx postfix/smtp[1]: two");
  log(std::string_view("nul\0, \r, \x7f, tab\t, \xC3\xA4", 20));
  write();
  open_at_start();
  EXPECT_EQ(read(),
            "one?2026-11-18T11:06:40Z mx postfix/smtp[1]: two\nnul?, ?, ?, tab\t, \xC3\xA4\n");
}

TEST_F(JournalLogSourceTest, TextsThatAreTooLongAreSkippedAndCounted) {
  log("before");
  log(std::string(LogSource::kMaxLine + 1, 'x'));
  log(std::string(1'000'000, 'y'));
  log("after");
  write();
  open_at_start();
  EXPECT_EQ(read(), "before\nafter\n");
  EXPECT_EQ(counters_.truncated, 2U);
}

TEST_F(JournalLogSourceTest, ThePositionMovesOnWithEntriesOfOthersNowAndThen) {
  log("one");
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\n");
  const std::string before = cursor_->journal;
  journal_.add(entry("CRON", "tick").with("_UID", "0"));
  write();
  EXPECT_FALSE(source_->next(now_));
  now_ += JournalLogSource::kPositionEvery;
  const std::optional<LogLines> moved = source_->next(now_);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->lines, "");
  EXPECT_NE(moved->cursor.journal, before);
  EXPECT_FALSE(source_->next(now_));
}

TEST_F(JournalLogSourceTest, WarmUpGivesTheLinesUpToThePosition) {
  log("one");
  journal_.add(entry("postfix/smtp", "forged").with("_UID", "1000"));
  log("two");
  write();
  open_at_start();
  EXPECT_EQ(read(), "one\ntwo\n");
  log("three");
  write();
  reopen();
  const std::optional<LogLines> before = source_->warm_up();
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->warm_up);
  EXPECT_EQ(std::count(before->lines.begin(), before->lines.end(), '\n'), 2);
  EXPECT_TRUE(before->lines.ends_with("two\n"));
  EXPECT_EQ(read(), "three\n");
}

TEST_F(JournalLogSourceTest, AWatchIsReadableWhenThereIsMore) {
  log("one");
  write();
  open();
  EXPECT_EQ(read(), "");
  pollfd watch{source_->watch(), POLLIN, 0};
  EXPECT_EQ(read(), "");
  log("two");
  write();
  EXPECT_EQ(::poll(&watch, 1, 5000), 1);
  source_->woken();
  EXPECT_EQ(read(), "two\n");
}

// Killed anywhere = not killed: wherever the follower is restarted at the position it had stored,
// every entry comes once and in order, over rotations.
TEST_F(JournalLogSourceTest, RestartsAnywhereAreNotNoticed) {
  std::mt19937 random(1);
  open();
  cursor_ = source_->cursor();
  std::string written;
  std::string got;
  for (int i = 0; i < 60; ++i) {
    for (auto n = random() % 5; n > 0; --n) {
      const std::string text = "line " + std::to_string(written.size());
      log(text);
      written += text + "\n";
    }
    write();
    if (random() % 4 == 0) {
      journal_.rename("system.journal", "system@" + std::to_string(i) + ".journal");
    }
    if (random() % 3 == 0) {
      got += read();
    }
    if (random() % 3 == 0) {
      reopen();
    }
  }
  got += read();
  EXPECT_EQ(got, written);
  EXPECT_EQ(counters_.gaps, 0U);
}

}  // namespace
}  // namespace mtrk
