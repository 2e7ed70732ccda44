#include "common/maillog/log_line.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

TimePoint at(int year, unsigned month, unsigned day, int hour, int minute, int second) {
  return std::chrono::sys_days(std::chrono::year{year} / std::chrono::month{month} /
                               std::chrono::day{day}) +
         Seconds(hour * 3600 + minute * 60 + second);
}

const StampContext kNovember{at(2026, 11, 22, 0, 0, 0), Minutes(0)};

struct HeaderCase {
  const char* name;
  std::string_view line;
  LogTime want_at;
  std::string_view host, program;
  std::uint32_t pid;
  std::string_view text;
};

const LogTime kMoment = at(2026, 11, 21, 16, 54, 11);
const HeaderCase kHeaders[] = {
    {"traditional", "Nov 21 16:54:11 mx postfix/smtp[12]: text", kMoment, "mx", "postfix/smtp", 12,
     "text"},
    {"padded day", "Nov  1 16:54:11 mx postfix/smtp[12]: text",
     LogTime(at(2026, 11, 1, 16, 54, 11)), "mx", "postfix/smtp", 12, "text"},
    {"without pid", "Nov 21 16:54:11 mx postfix/smtp: text", kMoment, "mx", "postfix/smtp", 0,
     "text"},
    {"longer tag", "Nov 21 16:54:11 mx postfix-out/submission/smtpd[7]: text", kMoment, "mx",
     "postfix-out/submission/smtpd", 7, "text"},
    {"RFC 3339", "2026-11-21T16:54:11.985366+00:00 mx.example.test postfix/smtp[5854]: text",
     kMoment + Microseconds(985366), "mx.example.test", "postfix/smtp", 5854, "text"},
    {"RFC 3339 with zone", "2026-11-21T18:54:11+02:00 mx postfix/smtp[1]: text", kMoment, "mx",
     "postfix/smtp", 1, "text"},
    {"RFC 3339 with Z", "2026-11-21T16:54:11.5Z mx postfix/smtp[1]: text",
     kMoment + Microseconds(500000), "mx", "postfix/smtp", 1, "text"},
    {"ISO as journalctl writes it", "2026-11-21T11:54:11-0500 mx postfix/smtp[1]: text", kMoment,
     "mx", "postfix/smtp", 1, "text"},
    {"RFC 5424", "<22>1 2026-11-21T16:54:11.985366+00:00 mx postfix 5854 - -  text",
     kMoment + Microseconds(985366), "mx", "postfix", 5854, "text"},
    {"RFC 5424 with data",
     R"(<22>1 2026-11-21T16:54:11Z mx postfix - - [x@1 a="]\"" b="c"][y@1] text)", kMoment, "mx",
     "postfix", 0, "text"},
    {"priority and traditional", "<22>Nov 21 16:54:11 mx postfix/smtp[1]: text", kMoment, "mx",
     "postfix/smtp", 1, "text"},
    {"a text with colons and brackets", "Nov 21 16:54:11 mx postfix/smtp[1]: a[2]: b: c", kMoment,
     "mx", "postfix/smtp", 1, "a[2]: b: c"},
    {"a line of nobody", "Nov 21 16:54:11 mx last message repeated 3 times", kMoment, "mx", "", 0,
     "last message repeated 3 times"},
};

TEST(LogLineTest, SplitsTheKnownHeaders) {
  for (const HeaderCase& test : kHeaders) {
    SCOPED_TRACE(test.name);
    const std::optional<LogLine> line = split_log_line(test.line, kNovember);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->at, test.want_at);
    EXPECT_EQ(line->host, test.host);
    EXPECT_EQ(line->program, test.program);
    EXPECT_EQ(line->pid, test.pid);
    EXPECT_EQ(line->text, test.text);
  }
}

TEST(LogLineTest, RefusesWhatHasNoHeader) {
  for (const std::string_view line :
       {"", "text", "Nov", "Nov 21", "Nov 21 16:54:11", "Nov 21 24:00:00 mx x[1]: y",
        "Nov 32 16:54:11 mx x[1]: y", "Feb 30 16:54:11 mx x[1]: y", "Nov 00 16:54:11 mx x[1]: y",
        "nov 21 16:54:11 mx x[1]: y", "2026-11-21T16:54:11 mx x[1]: y",
        "2026-13-21T16:54:11Z mx x[1]: y", "2026-11-21T16:54:11+25:00 mx x[1]: y", "<>1 x", "<22",
        "<2222>1 2026-11-21T16:54:11Z mx postfix 1 - - x",
        "<22>1 2026-11-21T16:54:11Z mx postfix 1 - [open x", "<22>1 - mx postfix 1 - - x"}) {
    EXPECT_FALSE(split_log_line(line, kNovember)) << line;
  }
}

// Every line, cut anywhere, is read without a look beyond its end (ASan) and never grows a text.
TEST(LogLineTest, ToleratesLinesCutAnywhere) {
  for (const HeaderCase& test : kHeaders) {
    for (std::size_t length = 0; length <= test.line.size(); ++length) {
      const std::string cut(test.line.substr(0, length));
      const std::optional<LogLine> line = split_log_line(cut, kNovember);
      if (line && !line->text.empty()) {
        EXPECT_LE(line->text.data() + line->text.size(), cut.data() + cut.size());
      }
    }
  }
}

struct YearCase {
  const char* name;
  TimePoint reference;
  int offset;
  std::string_view stamp;
  std::optional<TimePoint> want;
};

// reliability B6
TEST(LogLineTest, FindsTheYearOfAStampWithoutOne) {
  const YearCase cases[] = {
      {"last December, read in January", at(2027, 1, 1, 0, 5, 0), 0, "Dec 31 23:59:59",
       at(2026, 12, 31, 23, 59, 59)},
      {"January, file of the last day of the year", at(2026, 12, 31, 23, 59, 0), 0,
       "Jan  1 00:00:10", at(2027, 1, 1, 0, 0, 10)},
      {"eleven months old", at(2026, 11, 22, 0, 0, 0), 0, "Jan  3 10:00:00",
       at(2026, 1, 3, 10, 0, 0)},
      {"tomorrow is a year ago", at(2026, 11, 22, 0, 0, 0), 0, "Nov 23 00:00:01",
       at(2025, 11, 23, 0, 0, 1)},
      {"29 February of a leap year", at(2028, 3, 1, 0, 0, 0), 0, "Feb 29 12:00:00",
       at(2028, 2, 29, 12, 0, 0)},
      {"29 February of no year near", at(2027, 3, 1, 0, 0, 0), 0, "Feb 29 12:00:00", std::nullopt},
      {"zone east of Greenwich", at(2026, 12, 31, 23, 30, 0), 60, "Jan  1 00:15:00",
       at(2026, 12, 31, 23, 15, 0)},
      {"zone west of Greenwich", at(2027, 1, 1, 3, 0, 0), -300, "Dec 31 21:30:00",
       at(2027, 1, 1, 2, 30, 0)},
  };
  for (const YearCase& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string text = std::string(test.stamp) + " mx postfix/smtp[1]: x";
    const std::optional<LogLine> line =
        split_log_line(text, {test.reference, Minutes(test.offset)});
    ASSERT_EQ(line.has_value(), test.want.has_value());
    if (line) {
      EXPECT_EQ(line->at, LogTime(*test.want));
    }
  }
}

}  // namespace
}  // namespace mtrk::maillog
