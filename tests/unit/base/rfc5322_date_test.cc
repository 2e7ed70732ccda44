#include "common/base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace mtrk {
namespace {

TimePoint at(std::int64_t seconds) {
  return TimePoint(Seconds(seconds));
}

TEST(Rfc5322DateTest, FormatsTheExampleOfRfc3886) {
  // RFC 3886 §3.1: numeric zone, one space before a one-digit day.
  EXPECT_EQ(format_rfc5322_date(at(978380115), Minutes(-300)), "Mon, 1 Jan 2001 15:15:15 -0500");
  EXPECT_EQ(format_rfc5322_date(at(0), Minutes(0)), "Thu, 1 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(format_rfc5322_date(at(-1), Minutes(0)), "Wed, 31 Dec 1969 23:59:59 +0000");
  EXPECT_EQ(format_rfc5322_date(at(1709164800), Minutes(345)), "Thu, 29 Feb 2024 05:45:00 +0545");
  EXPECT_EQ(format_rfc5322_date(at(0), Minutes(-1)), "Wed, 31 Dec 1969 23:59:00 -0001");
}

TEST(Rfc5322DateTest, AWildInstantStillFormatsAsAValidDate) {
  for (const Minutes offset : {Minutes(0), Minutes(-5999), Minutes(5999), Minutes::max()}) {
    for (const TimePoint wild : {TimePoint::min(), TimePoint::max(), at(-99999999999)}) {
      EXPECT_TRUE(parse_rfc5322_date(format_rfc5322_date(wild, offset)).has_value());
    }
  }
}

TEST(Rfc5322DateTest, ReadsTheLiberalForms) {
  const struct {
    const char* text;
    std::int64_t seconds;
    int offset;
  } table[] = {
      {"Mon, 1 Jan 2001 15:15:15 -0500", 978380115, -300},
      {"Mon,  1 Jan 2001 15:15:15 -0500", 978380115, -300},
      {"mon,01 JAN 2001 15:15:15 -0500 (EST)", 978380115, -300},
      {"1 Jan 2001 15:15:15 EST", 978380115, -300},
      {"1 Jan 2001 15:15 EDT", 978376500, -240},
      {"\t1\r\n Jan\t2001\t20:15:15 GMT ", 978380115, 0},
      {"1 Jan 01 20:15:15 UT", 978380115, 0},
      {"1 Jan 101 20:15:15 Z", 978380115, 0},
      {"1 Jan 99 00:00:00 +0000", 915148800, 0},
      {"1 Jan 2001 20:15:15 CEST", 978380115, 0},  // §4.3: unknown names mean -0000
      {"1 Jan 2001 20:15:15 -0000", 978380115, 0},
      {"1 (a (nested\\)) one) Jan 2001 20 : 15 : 15 +0000", 978380115, 0},
      {"Sat, 31 Dec 2016 23:59:60 +0000", 1483228800, 0},  // a leap second
  };
  for (const auto& row : table) {
    const Expected<ZonedTime> time = parse_rfc5322_date(row.text);
    ASSERT_TRUE(time.has_value()) << row.text << ": " << time.error().detail;
    EXPECT_EQ(time->at, at(row.seconds)) << row.text;
    EXPECT_EQ(time->utc_offset, Minutes(row.offset)) << row.text;
  }
}

TEST(Rfc5322DateTest, RefusesWhatIsNoDate) {
  for (const char* bad : {
           "",
           "Mon",
           "Mon, 1 Jan 2001",
           "Mon, 1 Jan 2001 15:15:15",        // no zone
           "Foo, 1 Jan 2001 15:15:15 +0000",  // no such day name
           "Mon 1 Jan 2001 15:15:15 +0000",   // no comma
           "1 Foo 2001 15:15:15 +0000",       // no such month
           "31 Feb 2001 15:15:15 +0000",      // no such day
           "0 Jan 2001 15:15:15 +0000",       //
           "1 Jan 2001 24:00:00 +0000",       //
           "1 Jan 2001 15:60:00 +0000",       //
           "1 Jan 2001 15:15:61 +0000",       //
           "1 Jan 1899 15:15:15 +0000",       //
           "1 Jan 20010 15:15:15 +0000",      //
           "1 Jan 2001 15:15:15 +000",        //
           "1 Jan 2001 15:15:15 +0060",       //
           "1 Jan 2001 15:15:15 +0000 trailing",
           "001 Jan 2001 15:15:15 +0000",
           "99999999999 Jan 2001 15:15:15 +0000",
       }) {
    EXPECT_FALSE(parse_rfc5322_date(bad).has_value()) << bad;
  }
}

TEST(Rfc5322DateTest, RoundTripsDaysOfFourCenturies) {
  for (std::int64_t day = -25566; day < 121000; day += 11) {
    const TimePoint instant = at(day * 86400 + 49530);
    const Minutes offset(day % 1440);
    const Expected<ZonedTime> back = parse_rfc5322_date(format_rfc5322_date(instant, offset));
    ASSERT_TRUE(back.has_value()) << day;
    ASSERT_EQ(back->at, instant);
    ASSERT_EQ(back->utc_offset, offset);
  }
}

}  // namespace
}  // namespace mtrk
