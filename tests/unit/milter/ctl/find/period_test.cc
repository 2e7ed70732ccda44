#include "milter/ctl/find/period.h"

#include <gtest/gtest.h>

namespace mtrk::find {
namespace {

TimePoint utc(std::string_view text) {
  return std::chrono::floor<Seconds>(parse_rfc3339(text)->at);
}

const TimePoint kNow = utc("2026-11-21T10:00:00Z");
const LocalOffsets kBerlin{Minutes(60)};

TEST(PeriodTest, ADayIsOnTheClockOfTheZone) {
  EXPECT_EQ(*parse_since("2026-11-21", kNow, kBerlin), utc("2026-11-20T23:00:00Z"));
  EXPECT_EQ(*parse_until("2026-11-21", kNow, kBerlin), utc("2026-11-21T23:00:00Z"));
}

TEST(PeriodTest, AMinuteAndASecondMeanTheirBeginningAndTheirEnd) {
  EXPECT_EQ(*parse_since("2026-11-21 16:54", kNow, kBerlin), utc("2026-11-21T15:54:00Z"));
  EXPECT_EQ(*parse_until("2026-11-21 16:54", kNow, kBerlin), utc("2026-11-21T15:55:00Z"));
  EXPECT_EQ(*parse_since("2026-11-21T16:54:11", kNow, kBerlin), utc("2026-11-21T15:54:11Z"));
  EXPECT_EQ(*parse_until("2026-11-21T16:54:11", kNow, kBerlin), utc("2026-11-21T15:54:12Z"));
}

TEST(PeriodTest, AnInstantBelongsToThePeriodItEnds) {
  const LogTime at = parse_rfc3339("2026-11-21T16:54:11.5+01:00")->at;
  EXPECT_EQ(*parse_since("2026-11-21T16:54:11.5+01:00", kNow, kBerlin), at);
  const Period until{std::nullopt, *parse_until("2026-11-21T16:54:11.5+01:00", kNow, kBerlin)};
  EXPECT_TRUE(until.has(at));
  EXPECT_FALSE(until.has(at + Microseconds(1)));
}

TEST(PeriodTest, AgesAndWordsCountFromNow) {
  EXPECT_EQ(*parse_since("2d", kNow, kBerlin), utc("2026-11-19T10:00:00Z"));
  EXPECT_EQ(*parse_since("1h30m", kNow, kBerlin), utc("2026-11-21T08:30:00Z"));
  EXPECT_EQ(*parse_since("today", kNow, kBerlin), utc("2026-11-20T23:00:00Z"));
  EXPECT_EQ(*parse_since("yesterday", kNow, kBerlin), utc("2026-11-19T23:00:00Z"));
  EXPECT_EQ(*parse_until("yesterday", kNow, kBerlin), utc("2026-11-20T23:00:00Z"));
  EXPECT_EQ(*parse_since("now", kNow, kBerlin), kNow);
}

TEST(PeriodTest, WhatIsNoTimeIsSaidWithAHint) {
  for (const char* text :
       {"", "2", "2026-13-01", "2026-02-30", "2026-11-21 24:00", "2026-11-21 1:2",
        "2026-11-21 16:54:60", "2026-11-21 16:54 ", "21.11.2026", "tomorrow", "2026-11-21x", "-2d",
        "2026-11-21 16:54:11.5"}) {
    const std::string blank(text);
    if (blank == "2026-11-21 16:54 ") {
      EXPECT_TRUE(parse_since(text, kNow, kBerlin)) << text;
      continue;
    }
    const Expected<LogTime> at = parse_since(text, kNow, kBerlin);
    ASSERT_FALSE(at) << text;
    EXPECT_NE(at.error().detail.find("write it like 2026-11-21"), std::string::npos) << text;
  }
}

TEST(PeriodTest, HasTheBeginningAndNotTheEnd) {
  const Period period{LogTime(Seconds(10)), LogTime(Seconds(20))};
  EXPECT_FALSE(period.has(LogTime(Seconds(9))));
  EXPECT_TRUE(period.has(LogTime(Seconds(10))));
  EXPECT_TRUE(period.has(LogTime(Seconds(19))));
  EXPECT_FALSE(period.has(LogTime(Seconds(20))));
  EXPECT_TRUE(Period().has(LogTime(Seconds(0))));
}

}  // namespace
}  // namespace mtrk::find
