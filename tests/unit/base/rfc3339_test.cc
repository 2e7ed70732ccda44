#include "common/base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace mtrk {
namespace {

TimePoint at(std::int64_t seconds) {
  return TimePoint(Seconds(seconds));
}

TEST(Rfc3339Test, ReadsLogStampsToTheMicrosecond) {
  const struct {
    const char* text;
    std::int64_t microseconds;
    int offset;
  } table[] = {
      {"1970-01-01T00:00:00Z", 0, 0},
      {"2026-11-21T16:54:11Z", 1795280051000000, 0},
      {"2026-11-21t16:54:11z", 1795280051000000, 0},
      {"2026-11-21T17:54:11.985366+01:00", 1795280051985366, 60},
      {"2026-11-21T11:24:11.5-05:30", 1795280051500000, -330},
      {"2026-11-21T16:54:11.985366999999999999999999Z", 1795280051985366, 0},  // cut, not rounded
      {"2026-11-21T16:54:11-00:00", 1795280051000000, 0},
      {"2016-12-31T23:59:60Z", 1483228800000000, 0},
      {"1969-12-31T23:59:59.999999Z", -1, 0},
  };
  for (const auto& row : table) {
    const Expected<ZonedLogTime> time = parse_rfc3339(row.text);
    ASSERT_TRUE(time.has_value()) << row.text << ": " << time.error().detail;
    EXPECT_EQ(time->at, LogTime(Microseconds(row.microseconds))) << row.text;
    EXPECT_EQ(time->utc_offset, Minutes(row.offset)) << row.text;
  }
}

TEST(Rfc3339Test, RefusesEverythingElse) {
  for (const char* bad : {
           "",
           "2026",
           "2026-11-21",
           "2026-11-21T16:54:11",
           "2026-11-21 16:54:11Z",
           "2026-11-21T16:54:11.Z",
           "2026-11-21T16:54:11.985",
           "2026-11-21T16:54Z",
           "2026-13-21T16:54:11Z",
           "2026-02-29T16:54:11Z",
           "2026-11-00T16:54:11Z",
           "2026-11-21T24:00:00Z",
           "2026-11-21T16:60:11Z",
           "2026-11-21T16:54:61Z",
           "2026-11-21T16:54:11+0100",
           "2026-11-21T16:54:11+01:0",
           "2026-11-21T16:54:11+24:00",
           "2026-11-21T16:54:11+01:60",
           "2026-11-21T16:54:11Z ",
           " 2026-11-21T16:54:11Z",
           "2026-1-021T16:54:11Z",
           "-026-11-21T16:54:11Z",
           "2026-11-21T16:54:1\xb2Z",
       }) {
    EXPECT_FALSE(parse_rfc3339(bad).has_value()) << bad;
  }
}

TEST(Rfc3339Test, EveryPrefixOfAStampIsRefused) {
  const std::string_view stamp = "2026-11-21T16:54:11.985366+01:00";
  for (std::size_t length = 0; length < stamp.size(); ++length) {
    EXPECT_FALSE(parse_rfc3339(stamp.substr(0, length)).has_value()) << length;
  }
}

TEST(Rfc3339Test, FormatsInUtcAndWithAFractionOnlyIfThereIsOne) {
  EXPECT_EQ(format_rfc3339(at(1795280051)), "2026-11-21T16:54:11Z");
  EXPECT_EQ(format_rfc3339(LogTime(Microseconds(1795280051000000))), "2026-11-21T16:54:11Z");
  EXPECT_EQ(format_rfc3339(LogTime(Microseconds(1795280051000042))), "2026-11-21T16:54:11.000042Z");
  EXPECT_EQ(format_rfc3339(LogTime(Microseconds(-1))), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_rfc3339(TimePoint::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(TimePoint::min()), "0000-01-01T00:00:00Z");
}

}  // namespace
}  // namespace mtrk
