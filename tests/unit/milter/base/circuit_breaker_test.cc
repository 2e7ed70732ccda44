#include "milter/base/circuit_breaker.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = CircuitBreaker::Clock;

const Clock::time_point kStart{1000s};

void open(CircuitBreaker& breaker) {
  breaker.wait_failed();
  breaker.wait_failed();
  breaker.wait_failed();
  ASSERT_TRUE(breaker.open());
}

TEST(CircuitBreakerTest, OpensAfterThreeFailuresInARow) {
  CircuitBreaker breaker;
  EXPECT_EQ(breaker.wait_failed(), CircuitBreaker::Change::none);
  EXPECT_EQ(breaker.wait_failed(), CircuitBreaker::Change::none);
  EXPECT_TRUE(breaker.allows_wait(kStart));
  EXPECT_EQ(breaker.wait_failed(), CircuitBreaker::Change::opened);
  EXPECT_FALSE(breaker.allows_wait(kStart));
  EXPECT_EQ(breaker.wait_failed(), CircuitBreaker::Change::none);  // waited since before
}

TEST(CircuitBreakerTest, ASuccessBetweenFailuresKeepsItClosed) {
  CircuitBreaker breaker;
  for (int i = 0; i < 10; ++i) {
    breaker.wait_failed();
    breaker.wait_failed();
    breaker.wait_succeeded();
  }
  EXPECT_TRUE(breaker.allows_wait(kStart));
}

TEST(CircuitBreakerTest, ClosesAfterTenSecondsOfHealthyCommits) {
  CircuitBreaker breaker;
  open(breaker);
  breaker.committed(kStart, 5ms);
  breaker.committed(kStart + 9s, 5ms);
  EXPECT_FALSE(breaker.allows_wait(kStart + 9999ms));
  EXPECT_TRUE(breaker.allows_wait(kStart + 10s));
  EXPECT_FALSE(breaker.open());
}

TEST(CircuitBreakerTest, StaysOpenWithoutACommit) {
  CircuitBreaker breaker;
  open(breaker);
  EXPECT_FALSE(breaker.allows_wait(kStart + 1h));
}

TEST(CircuitBreakerTest, SlowOrFailedCommitsStartTheTenSecondsAnew) {
  CircuitBreaker breaker;
  open(breaker);
  breaker.committed(kStart, 5ms);
  breaker.committed(kStart + 5s, 101ms);
  EXPECT_FALSE(breaker.allows_wait(kStart + 11s));
  breaker.committed(kStart + 11s, 5ms);
  breaker.commit_failed();
  breaker.committed(kStart + 12s, 5ms);
  EXPECT_FALSE(breaker.allows_wait(kStart + 21s));
  EXPECT_TRUE(breaker.allows_wait(kStart + 22s));
}

TEST(CircuitBreakerTest, OpensAgainAfterItClosed) {
  CircuitBreaker breaker;
  open(breaker);
  breaker.committed(kStart, 5ms);
  ASSERT_TRUE(breaker.allows_wait(kStart + 10s));
  open(breaker);
  EXPECT_FALSE(breaker.allows_wait(kStart + 100s));
}

// THR-L18

}  // namespace
}  // namespace mtrk
