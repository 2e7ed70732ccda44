#include "milter/feed/log_health.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

class LogHealthTest : public testing::Test {
 protected:
  // The state after `after` more; empty if it did not change.
  std::string look(std::chrono::seconds after) {
    now_ += after;
    const auto change = health_.look(counters_, now_);
    return !change ? "" : change->good ? "good" : change->text;
  }

  Counters counters_;
  LogHealth::Clock::time_point now_{1000s};
  LogHealth health_{now_};
};

TEST_F(LogHealthTest, AQuietHostIsWell) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(look(600s), "");
  }
}

TEST_F(LogHealthTest, LinesThatKeepUpWithTheMailAreWell) {
  for (int i = 0; i < 100; ++i) {
    ++counters_.tracked;
    EXPECT_EQ(look(1s), "");
    ++counters_.lines;
    EXPECT_EQ(look(300s), "");
  }
}

TEST_F(LogHealthTest, MailWithoutALineIsSaidOnceAfterTwoMinutes) {
  ++counters_.lines;
  EXPECT_EQ(look(1s), "");
  ++counters_.tracked;
  EXPECT_EQ(look(1s), "");
  EXPECT_EQ(look(119s), "");
  EXPECT_NE(look(1s).find("no lines although mail moves"), std::string::npos);
  ++counters_.tracked;
  EXPECT_EQ(look(100s), "");
  ++counters_.lines;
  EXPECT_EQ(look(1s), "good");
}

TEST_F(LogHealthTest, AQueueThatMovesCountsLikeMailThatComes) {
  ++counters_.queue_moves;
  EXPECT_EQ(look(1s), "");
  EXPECT_NE(look(120s), "");
}

TEST_F(LogHealthTest, ALogThatCannotBeReadIsSaidAfterFiveSeconds) {
  counters_.log_unreadable = 1;
  EXPECT_EQ(look(4s), "");
  EXPECT_NE(look(1s).find("cannot be read"), std::string::npos);
  EXPECT_EQ(look(600s), "");
  counters_.log_unreadable = 0;
  EXPECT_EQ(look(1s), "good");
}

TEST_F(LogHealthTest, AMomentOfRotationIsNotSaid) {
  for (int i = 0; i < 20; ++i) {
    counters_.log_unreadable = 1;
    EXPECT_EQ(look(3s), "");
    counters_.log_unreadable = 0;
    EXPECT_EQ(look(1s), "");
  }
}

}  // namespace
}  // namespace mtrk
