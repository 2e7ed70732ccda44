#include "milter/writer/clock_guard.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

const ClockGuard::Wall kWall{1'800'000'000s};
const ClockGuard::Steady kSteady{100s};

TEST(ClockGuardTest, DistrustsTheWallClockForTenMinutesAfterTheStart) {
  ClockGuard guard;
  EXPECT_FALSE(guard.trusts(kWall, kSteady));
  EXPECT_FALSE(guard.trusts(kWall + 599s, kSteady + 599s));
  EXPECT_TRUE(guard.trusts(kWall + 600s, kSteady + 600s));
}

TEST(ClockGuardTest, DistrustsTheWallClockForTenMinutesAfterAJump) {
  for (const std::chrono::seconds jump : {-315'360'000s, -61s, 61s, 315'360'000s}) {
    ClockGuard guard;
    EXPECT_FALSE(guard.trusts(kWall, kSteady));
    EXPECT_TRUE(guard.trusts(kWall + 700s, kSteady + 700s));
    EXPECT_FALSE(guard.trusts(kWall + 710s + jump, kSteady + 710s));
    EXPECT_FALSE(guard.trusts(kWall + 1300s + jump, kSteady + 1300s));
    EXPECT_TRUE(guard.trusts(kWall + 1310s + jump, kSteady + 1310s));
  }
}

TEST(ClockGuardTest, AJumpThatSetsTheTimeRightStartsTheTenMinutesAgain) {
  ClockGuard guard(kWall);
  EXPECT_FALSE(guard.trusts(kWall, kSteady));
  EXPECT_FALSE(guard.trusts(kWall + 590s + 3600s, kSteady + 590s));
  EXPECT_FALSE(guard.trusts(kWall + 600s + 3600s, kSteady + 600s));
  EXPECT_TRUE(guard.trusts(kWall + 1190s + 3600s, kSteady + 1190s));
}

TEST(ClockGuardTest, ADayIsNeededWhereTheStoreWasLastWrittenLongAgo) {
  for (const std::chrono::hours away : {-24h * 400, -49h, 49h, 24h * 400, 24h * 3650}) {
    ClockGuard guard(kWall);
    EXPECT_FALSE(guard.trusts(kWall + away, kSteady));
    EXPECT_FALSE(guard.trusts(kWall + away + 23h, kSteady + 23h)) << away.count();
    EXPECT_TRUE(guard.trusts(kWall + away + 24h, kSteady + 24h));
  }
  ClockGuard night(kWall);
  EXPECT_FALSE(night.trusts(kWall + 12h, kSteady));
  EXPECT_TRUE(night.trusts(kWall + 12h + 10min, kSteady + 10min));
}

TEST(ClockGuardTest, ALogOfAnotherTimeIsDistrusted) {
  ClockGuard guard;
  EXPECT_FALSE(guard.trusts(kWall, kSteady));
  EXPECT_FALSE(guard.trusts(kWall + 700s, kSteady + 700s, kWall - 24h * 400));
  EXPECT_FALSE(guard.trusts(kWall + 1200s, kSteady + 1200s, kWall + 1190s));
  EXPECT_TRUE(guard.trusts(kWall + 1300s, kSteady + 1300s, kWall + 1290s));
}

TEST(ClockGuardTest, ToleratesSlewing) {
  ClockGuard guard;
  EXPECT_FALSE(guard.trusts(kWall, kSteady));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(guard.trusts(kWall + i * 59s, kSteady + i * 10s), i >= 60);
  }
}

}  // namespace
}  // namespace mtrk
