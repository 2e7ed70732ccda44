#pragma once

namespace mtrk {

// Gives the calling thread, and those that it makes from now on, the policy SCHED_BATCH (sched(7)):
// when they wake up they do not preempt what the processor is running, but wait until it is done.
// This is for threads that wake up at each step of each message, because on a busy host most of
// their cost is switching between them and the mail system. On an idle host nothing changes. It is
// not for a thread that sleeps many times while a message waits for it, as the writer does in a
// commit: where other programs use up the processors, it would wait for its turn each time.
//
// A policy that the administrator chose stays (chrt(1), CPUSchedulingPolicy=). If the system
// refuses, the usual policy stays, too.
void let_others_finish() noexcept;

}  // namespace mtrk
