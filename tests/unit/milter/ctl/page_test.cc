#include "milter/ctl/page.h"

#include "common/base/utf8.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <string>

namespace mtrk {
namespace {

std::string page_of(std::size_t indent, std::string_view text, PageStyle style = {}) {
  Page page(style);
  page.add(indent, text);
  return page.text();
}

std::size_t widest(std::string_view text) {
  std::size_t most = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    most = std::max(most, display_columns(text.substr(0, end)));
    text.remove_prefix(end + 1);
  }
  return most;
}

TEST(PageTest, BreaksBetweenWordsAtEightyColumns) {
  const std::string word(39, 'x');
  EXPECT_EQ(page_of(0, word + " " + word + "x"), word + " " + word + "x\n");
  EXPECT_EQ(page_of(0, word + " " + word + "xx"), word + "\n  " + word + "xx\n");
  EXPECT_EQ(page_of(4, word + " " + word), "    " + word + "\n      " + word + "\n");
}

TEST(PageTest, CountsColumnsNotOctets) {
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text += i % 10 == 9 ? "例 " : "例";  // two columns, three octets each
  }
  const std::string page = page_of(2, text);
  EXPECT_LE(widest(page), 80U);
  EXPECT_GE(widest(page), 62U);
}

TEST(PageTest, BreaksAWordThatIsLongerThanALineAndNoOther) {
  const std::string page = page_of(4, "short " + std::string(200, 'x') + " 4dCXzt0Cvjz5Z");
  EXPECT_LE(widest(page), 80U);
  EXPECT_NE(page.find("4dCXzt0Cvjz5Z"), std::string::npos);
  EXPECT_LE(widest(page_of(4, std::string(1000, 'y'))), 80U);
}

TEST(PageTest, KeepsBlanksBehindTheLead) {
  Page page({});
  page.add(4, "10:00:02  ", Paint::none, "removed from the queue", 16);
  EXPECT_EQ(page.text(), "    10:00:02  removed from the queue\n");
}

TEST(PageTest, PaintsWhereItMayOnly) {
  Page plain({});
  plain.add(0, "failed", Paint::bad, " 5.1.1", 2);
  EXPECT_EQ(plain.text(), "failed 5.1.1\n");
  PageStyle style;
  style.colours = true;
  Page painted(style);
  painted.add(0, "failed", Paint::bad, " 5.1.1", 2);
  EXPECT_EQ(painted.text(), "\x1b[31mfailed\x1b[0m 5.1.1\n");
}

TEST(PageTest, IsAsciiWhereTheScreenIs) {
  PageStyle style;
  style.utf8 = false;
  EXPECT_EQ(page_of(0, "büro", style), "b\\xc3\\xbcro\n");
}

class PageTimeTest : public testing::Test {
 protected:
  PageTimeTest() { set_zone("CET-1CEST,M3.5.0,M10.5.0/3"); }
  ~PageTimeTest() override { set_zone("UTC0"); }
  static void set_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  static TimePoint at(std::chrono::year_month_day day, int hour) {
    return std::chrono::sys_days(day) + std::chrono::hours(hour);
  }
};

// As it stands on the page.
std::string shown_time(TimePoint at, const PageStyle& style) {
  Page page(style);
  page.add(0, format_for_people(at, style));
  return page.text();
}

TEST(PageTest, DoesNotBreakATime) {
  const std::string time = "2026-11-21 10:00:00 +0000";
  EXPECT_EQ(page_of(0, std::string(60, 'x') + " " + with_hard_blanks(time)),
            std::string(60, 'x') + "\n  " + time + "\n");
}

TEST_F(PageTimeTest, TellsTheTimeOfTheZoneWithItsOffset) {
  using namespace std::chrono;
  const TimePoint winter = at(year{2026} / 11 / 21, 23);
  const TimePoint summer = at(year{2026} / 7 / 1, 10);
  EXPECT_EQ(shown_time(winter, {}), "2026-11-22 00:00:00 +0100\n");
  EXPECT_EQ(format_day(winter, {}), "Sun 2026-11-22 +0100");
  EXPECT_EQ(format_time_of_day(winter, {}), "00:00:00");
  EXPECT_EQ(shown_time(summer, {}), "2026-07-01 12:00:00 +0200\n");
  PageStyle utc;
  utc.utc = true;
  EXPECT_EQ(shown_time(winter, utc), "2026-11-21 23:00:00 +0000\n");
}

}  // namespace
}  // namespace mtrk
