#include "milter/ctl/log_reader.h"

#include "common/base/exit_code.h"
#include "milter/ctl/explain.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace mtrk {
namespace {

using maillog::DeliveryEvent;

class WholeLogTest : public testing::Test {
 protected:
  // A log that was written at 10:00 UTC of that day, the last time.
  std::string make_log(const std::string& text, std::chrono::sys_days written) {
    std::string path = scratch_.path() + "/mail.log";
    std::ofstream(path, std::ios::binary) << text;
    const std::chrono::sys_seconds at = written + std::chrono::hours(10);
    const timespec time{at.time_since_epoch().count(), 0};
    const timespec times[2] = {time, time};
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    return path;
  }
  // The days of all events, each day once.
  static std::vector<std::string> days_of(const std::string& path) {
    std::vector<std::string> days;
    OwnedLogParser parser(LogOwner{});
    read_whole_log(path, {}, parser, [&](const DeliveryEvent& event, std::string_view) {
      const std::string day = format_rfc3339(std::chrono::floor<Seconds>(event.at)).substr(0, 10);
      if (days.empty() || days.back() != day) {
        days.push_back(day);
      }
    });
    return days;
  }
  static std::string removed(const std::string& stamp) {
    return stamp + " mx postfix/qmgr[1]: 4ABCDEF: removed\n";
  }

  test::ScratchDirectory scratch_;
};

constexpr std::chrono::sys_days kJune = std::chrono::year{2026} / 6 / 12;
const std::vector<std::string> kTwoForms = {"2024-06-10", "2024-06-11", "2026-06-12"};

TEST_F(WholeLogTest, AFileOfTwoFormatsHasTheYearsThatItTells) {
  EXPECT_EQ(days_of(make_log(removed("Jun 10 12:00:00") + removed("2024-06-11T12:00:00+00:00") +
                                 removed("2026-06-12T09:00:00+00:00"),
                             kJune)),
            kTwoForms);
}

TEST_F(WholeLogTest, SoHasAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::string text = removed("Jun 10 12:00:00") + removed("2024-06-11T12:00:00+00:00") +
                           removed("2026-06-12T09:00:00+00:00");
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const int saved = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ::close(ends[0]);
  EXPECT_EQ(days_of("-"), kTwoForms);
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

// Too large to look at each line beforehand, and in more blocks than one.
TEST_F(WholeLogTest, ALargeFileOfThreeYearsHasThem) {
  std::string text;
  std::vector<std::string> want;
  for (int year = 2023; year <= 2025; ++year) {
    for (const char* month : {"Jan", "Apr", "Jul", "Oct"}) {
      for (int i = 0; i < 2500; ++i) {
        text += removed(std::string(month) + " 15 12:00:00");
      }
      const std::string number = month[0] == 'J'   ? (month[1] == 'a' ? "01" : "07")
                                 : month[0] == 'A' ? "04"
                                                   : "10";
      want.push_back(std::to_string(year) + "-" + number + "-15");
    }
  }
  EXPECT_EQ(days_of(make_log(text, std::chrono::year{2025} / 10 / 16)), want);
}

TEST_F(WholeLogTest, EachLineIsReadOnceWhereverYearsChange) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += removed(i % 7 < 3 ? "Dec 30 12:00:00" : "Jan  2 12:00:00");
  }
  const std::string path = make_log(text, std::chrono::year{2026} / 1 / 3);
  LogReader reader(path);
  LogBlock block;
  std::string all;
  while (reader.next(block)) {
    all += block.lines();
  }
  EXPECT_EQ(all, text);
}

TEST_F(WholeLogTest, TheLinesOfAnExplanationHaveNothingBehindTheRecord) {
  const std::string path =
      make_log("Jun 10 12:00:00 mx postfix/qmgr[1]: 4ABCDEF: removed \r\n", kJune);
  OwnedLogParser parser(LogOwner{});
  std::string shown;
  read_whole_log(path, {}, parser,
                 [&](const DeliveryEvent&, std::string_view line) { shown = line; });
  EXPECT_EQ(shown, "Jun 10 12:00:00 mx postfix/qmgr[1]: 4ABCDEF: removed");
}

TEST_F(WholeLogTest, ExplainSaysThatAFormatIsUnknown) {
  ExplainOptions options;
  options.logs = {make_log("?? 4ABCDEF: to=<bob@example.org>, relay=x, status=sent (ok)\n", kJune)};
  options.queue_id = "4ABCDEF";
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_explain(options), exit_code::data_error);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("unknown log format"), std::string::npos);
  options.logs = {make_log(removed("Jun 10 12:00:00"), kJune), make_log("another\nlog\n", kJune)};
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_explain(options), exit_code::data_error);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("none of 2 lines"), std::string::npos);
}

TEST_F(WholeLogTest, ExplainExitsWithOneWhereADeliveryLineWasNotUnderstood) {
  ExplainOptions options;
  options.logs = {make_log(
      "Jun 10 12:00:00 mx postfix/smtp[1]: 4ABCDEF: to=<bob@example.org>, relay=mx[192.0.2.1]:25, "
      "delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n"
      "Jun 10 12:00:00 mx postfix/smtp[1]: 4ABCDEE: to=<a@b>, status=sent and nothing\n",
      kJune)};
  options.queue_id = "4ABCDEF";
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_explain(options), 1);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("relayed"), std::string::npos);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("not understood"), std::string::npos);
}

}  // namespace
}  // namespace mtrk
