#include "milter/daemon/signal_pipe.h"

#include <gtest/gtest.h>

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace mtrk {
namespace {

using std::chrono::milliseconds;

TEST(SignalPipeTest, GivesEachSignalOnceAndInOrder) {
  SignalPipe signals({SIGUSR1, SIGUSR2});
  EXPECT_EQ(signals.wait(milliseconds(0)), 0);
  ::raise(SIGUSR1);
  ::raise(SIGUSR2);
  EXPECT_EQ(signals.wait(milliseconds(1000)), SIGUSR1);
  EXPECT_EQ(signals.wait(milliseconds(1000)), SIGUSR2);
  EXPECT_EQ(signals.wait(milliseconds(0)), 0);
}

TEST(SignalPipeTest, WakesFromAnotherThread) {
  SignalPipe signals({SIGUSR1});
  std::thread waker([&] { signals.wake(); });
  EXPECT_EQ(signals.wait(std::chrono::hours(1)), 0);
  waker.join();
}

// As libmilter does.
TEST(SignalPipeTest, AThreadThatWaitsForTheSignalDoesNotGetItHoweverBusyTheMainThreadIs) {
  SignalPipe signals({SIGUSR1});
  int taken = 0;
  std::thread rival([&] {
    signals.block_in_this_thread();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    const timespec limit{0, 600'000'000};
    taken = ::sigtimedwait(&set, nullptr, &limit);
  });
  std::thread sender([&] {
    signals.block_in_this_thread();
    std::this_thread::sleep_for(milliseconds(200));
    ::kill(::getpid(), SIGUSR1);
  });
  const auto end = std::chrono::steady_clock::now() + milliseconds(400);
  while (std::chrono::steady_clock::now() < end) {
  }
  sender.join();
  rival.join();
  EXPECT_EQ(taken, -1);
  EXPECT_EQ(signals.wait(milliseconds(0)), SIGUSR1);
}

}  // namespace
}  // namespace mtrk
