#include "milter/base/thread_policy.h"

#include <gtest/gtest.h>

#include <sched.h>

#include <thread>

namespace mtrk {
namespace {

void set_policy(int policy) {
  const sched_param none{};
  ASSERT_EQ(::sched_setscheduler(0, policy, &none), 0);
}

// The policies are those of a thread: each test has its own.
template <typename Body>
void in_a_thread(Body&& body) {
  std::thread(body).join();
}

TEST(ThreadPolicyTest, AThreadLetsOthersFinishAndSoDoThoseItMakes) {
  in_a_thread([] {
    set_policy(SCHED_OTHER);
    let_others_finish();
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    in_a_thread([] { EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH); });
  });
}

TEST(ThreadPolicyTest, OtherThreadsKeepTheirPolicy) {
  in_a_thread([] {
    set_policy(SCHED_OTHER);
    in_a_thread(let_others_finish);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
  });
}

TEST(ThreadPolicyTest, APolicyThatWasChosenStays) {
  in_a_thread([] {
    set_policy(SCHED_IDLE);
    let_others_finish();
    EXPECT_EQ(::sched_getscheduler(0), SCHED_IDLE);
  });
}

}  // namespace
}  // namespace mtrk
