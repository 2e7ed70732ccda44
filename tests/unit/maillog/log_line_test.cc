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
        "ovN 21 16:54:11 mx x[1]: y", "16:54:11 mx x[1]: y", "2026-13-21T16:54:11Z mx x[1]: y",
        "2026-11-21T16:54:11+25:00 mx x[1]: y", "<>1 x", "<22",
        "<2222>1 2026-11-21T16:54:11Z mx postfix 1 - - x",
        "<22>1 2026-11-21T16:54:11Z mx postfix 1 - [open x", "<22>1 - mx postfix 1 - - x"}) {
    EXPECT_FALSE(split_log_line(line, kNovember)) << line;
  }
}

// What a text says is never taken for a part of the header.
TEST(LogLineTest, LeavesWhatFollowsTheTagAlone) {
  const std::string inner = "Nov 21 10:00:00 mx postfix/smtp[1]: 4ABCDEF: to=<a@b>";
  for (const std::string& header :
       {std::string("Nov 21 16:54:11 mx "), std::string("Nov 21 16:54:11.5 mx "),
        std::string("2026-11-21 16:54:11 mx "), std::string("Nov 21 16:54:11 mx mail.info ")}) {
    for (const std::string& tag : {std::string("dovecot[1]: "), std::string("nginx: "),
                                   std::string("sshd[2]: x "), std::string("app[3]: GET ")}) {
      const std::optional<LogLine> line = split_log_line(header + tag + inner, kNovember);
      ASSERT_TRUE(line);
      EXPECT_NE(line->program, "postfix/smtp") << header << tag;
    }
  }
}

TEST(LogLineTest, LooksForNoHeaderBehindOthersWords) {
  for (
      const std::string_view line :
      {R"(192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /Nov 21 10:00:00 mx postfix/smtp[1]: x")",
       R"(nginx-1  | 192.0.2.1 - - "GET /|Nov 21 10:00:00 mx postfix/smtp[1]: 4ABCDEF: to=<a@b>")",
       "GET / Nov 21 10:00:00 mx postfix/smtp[1]: 4ABCDEF: to=<a@b>",
       "some words here: Nov 21 10:00:00 mx postfix/smtp[1]: 4ABCDEF: to=<a@b>"}) {
    StampMemo memo;
    const std::optional<LogLine> parts = split_log_line(line, kNovember, &memo);
    EXPECT_TRUE(!parts || parts->program != "postfix/smtp") << line;
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

// THR-B6
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

// Europe/Berlin: to summer time on 29 March 2026, back on 25 October.
LocalOffsets berlin() {
  LocalOffsets zone(Minutes(60));
  zone.add_change(at(2026, 3, 29, 1, 0, 0), Minutes(120));
  zone.add_change(at(2026, 10, 25, 1, 0, 0), Minutes(60));
  return zone;
}

struct ZoneCase {
  const char* name;
  std::string_view stamp;
  TimePoint want;
};

TEST(LogLineTest, ReadsAStampWithTheOffsetOfItsDay) {  // THR-B6
  const ZoneCase cases[] = {
      {"winter", "Jan 10 12:00:00", at(2026, 1, 10, 11, 0, 0)},
      {"last second of winter time", "Mar 29 01:59:59", at(2026, 3, 29, 0, 59, 59)},
      {"an hour that was not", "Mar 29 02:30:00", at(2026, 3, 29, 1, 30, 0)},
      {"first second of summer time", "Mar 29 03:00:00", at(2026, 3, 29, 1, 0, 0)},
      {"summer", "Jul 10 12:00:00", at(2026, 7, 10, 10, 0, 0)},
      {"an hour that came twice", "Oct 25 02:30:00", at(2026, 10, 25, 0, 30, 0)},
      {"after it", "Oct 25 03:00:00", at(2026, 10, 25, 2, 0, 0)},
      {"winter again", "Nov 21 12:00:00", at(2026, 11, 21, 11, 0, 0)},
      {"last year", "Dec 24 12:00:00", at(2025, 12, 24, 11, 0, 0)},
  };
  for (const ZoneCase& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string text = std::string(test.stamp) + " mx postfix/smtp[1]: x";
    const std::optional<LogLine> line = split_log_line(text, {at(2026, 11, 22, 0, 0, 0), berlin()});
    ASSERT_TRUE(line);
    EXPECT_EQ(line->at, LogTime(test.want));
  }
}

TEST(LogLineTest, TheHourThatComesTwiceIsToldByTheOrderOfLines) {
  const StampContext context{at(2026, 11, 22, 0, 0, 0), berlin()};
  StampMemo memo;
  const auto read = [&](std::string_view stamp) {
    const std::string text = std::string(stamp) + " mx postfix/smtp[1]: x";
    return split_log_line(text, context, &memo)->at;
  };
  EXPECT_EQ(read("Oct 25 02:10:05"), LogTime(at(2026, 10, 25, 0, 10, 5)));
  EXPECT_EQ(read("Oct 25 02:10:04"), LogTime(at(2026, 10, 25, 0, 10, 4))) << "two writers";
  EXPECT_EQ(read("Oct 25 02:59:59"), LogTime(at(2026, 10, 25, 0, 59, 59)));
  EXPECT_EQ(read("Oct 25 02:00:00"), LogTime(at(2026, 10, 25, 1, 0, 0)));
  EXPECT_EQ(read("Oct 25 02:40:00"), LogTime(at(2026, 10, 25, 1, 40, 0)));
  EXPECT_EQ(read("Oct 25 03:00:00"), LogTime(at(2026, 10, 25, 2, 0, 0)));
}

}  // namespace
}  // namespace mtrk::maillog
