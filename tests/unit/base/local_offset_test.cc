#include "common/base/local_offset.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace mtrk {
namespace {

TimePoint at(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  return std::chrono::sys_days(std::chrono::year{year} / std::chrono::month{month} /
                               std::chrono::day{day}) +
         Seconds(hour * 3600 + minute * 60);
}

// TZ is the process's; rules in POSIX form need no files.
class LocalOffsetTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* zone = std::getenv("TZ");
    had_ = zone != nullptr;
    old_ = had_ ? zone : "";
  }
  void TearDown() override {
    had_ ? setenv("TZ", old_.c_str(), 1) : unsetenv("TZ");
    tzset();
  }
  static void set_zone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }

 private:
  bool had_ = false;
  std::string old_;
};

TEST_F(LocalOffsetTest, FindsTheChangesOfTheYearBehind) {
  set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
  LocalOffsets want(Minutes(60));
  want.add_change(at(2026, 3, 29, 1), Minutes(120));
  want.add_change(at(2026, 10, 25, 1), Minutes(60));
  EXPECT_EQ(local_offsets(at(2026, 11, 21, 9)), want);
}

TEST_F(LocalOffsetTest, SouthOfTheEquatorTheYearBeginsInSummer) {
  set_zone("NZST-12NZDT,M9.5.0,M4.1.0/3");
  const LocalOffsets zone = local_offsets(at(2026, 12, 2, 0));
  EXPECT_EQ(zone.at(at(2026, 1, 10, 0)), Minutes(13 * 60));
  EXPECT_EQ(zone.at(at(2026, 7, 10, 0)), Minutes(12 * 60));
  EXPECT_EQ(zone.from_wall(at(2026, 7, 10, 12)), at(2026, 7, 10, 0));
}

TEST_F(LocalOffsetTest, AZoneWithoutChangesIsOneOffset) {
  set_zone("IST-5:30");
  EXPECT_EQ(local_offsets(at(2026, 12, 3, 0)), LocalOffsets(Minutes(330)));
}

TEST(LocalOffsetsTest, TheWallClockOfAnyInstantLeadsBackToIt) {
  LocalOffsets zone(Minutes(-300));
  zone.add_change(at(2026, 3, 8, 7), Minutes(-240));
  zone.add_change(at(2026, 11, 1, 6), Minutes(-300));
  for (TimePoint instant = at(2026, 1, 1, 0); instant < at(2027, 1, 1, 0); instant += Minutes(10)) {
    const TimePoint wall = instant + zone.at(instant);
    EXPECT_EQ(zone.from_wall(wall, instant - Minutes(10)), instant);
  }
}

}  // namespace
}  // namespace mtrk
