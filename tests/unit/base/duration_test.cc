#include "common/base/time.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(DurationTest, ReadsUnitsFromLargeToSmall) {
  const std::pair<const char*, std::int64_t> table[] = {
      {"9d", 777'600'000},
      {"36h", 129'600'000},
      {"90s", 90'000},
      {"1h30m", 5'400'000},
      {"250ms", 250},
      {"0s", 0},
      {"0ms", 0},
      {"2w", 1'209'600'000},
      {"1m", 60'000},
      {"1m1ms", 60'001},
      {"1d2h3m4s5ms", 93'784'005},
      {"007s", 7'000},
  };
  for (const auto& [text, milliseconds] : table) {
    const Expected<Milliseconds> duration = parse_duration(text);
    ASSERT_TRUE(duration.has_value()) << text;
    EXPECT_EQ(duration->count(), milliseconds) << text;
  }
}

TEST(DurationTest, RefusesNumbersWithoutUnitAndUnitsOutOfOrder) {
  for (const char* bad : {"", "9", "d", "9 d", " 9d", "9d ", "-9d", "+9d", "1.5h", "30m1h", "1s1s",
                          "9D", "9days", "1ms1s", "9d9", "1y"}) {
    const Expected<Milliseconds> duration = parse_duration(bad);
    ASSERT_FALSE(duration.has_value()) << bad;
    EXPECT_EQ(duration.error().code, ErrorCode::syntax) << bad;
  }
}

TEST(DurationTest, RefusesMoreThanACentury) {
  EXPECT_TRUE(parse_duration("36525d").has_value());
  for (const char* bad : {"36526d", "36525d1ms", "99999999999999999999s", "9223372036854775807ms",
                          "9223372036854775807w"}) {
    const Expected<Milliseconds> duration = parse_duration(bad);
    ASSERT_FALSE(duration.has_value()) << bad;
    EXPECT_EQ(duration.error().code, ErrorCode::out_of_range) << bad;
  }
}

TEST(DurationTest, FormatsShortAndReadable) {
  EXPECT_EQ(format_duration(Seconds(9 * 86400)), "9d");
  EXPECT_EQ(format_duration(Seconds(36 * 3600)), "1d12h");
  EXPECT_EQ(format_duration(Seconds(90)), "1m30s");
  EXPECT_EQ(format_duration(Milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(Milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(Milliseconds(-1500)), "-1s500ms");
  EXPECT_EQ(format_duration(Milliseconds::min()).front(), '-');
}

TEST(DurationTest, WhatIsFormattedReadsBack) {
  for (std::int64_t ms = 0; ms < 3'000'000'000; ms = ms * 3 + 1) {
    const Expected<Milliseconds> back = parse_duration(format_duration(Milliseconds(ms)));
    ASSERT_TRUE(back.has_value()) << ms;
    EXPECT_EQ(back->count(), ms);
  }
}

}  // namespace
}  // namespace mtrk
