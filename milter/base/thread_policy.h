#pragma once

namespace mtrk {

// The calling thread, and those it makes from now on, no longer interrupt what the processor is
// busy with when they wake up: they come next (SCHED_BATCH, sched(7)). For threads that wake up at
// each step of each message, as on a busy host most of what they cost is switching to and fro
// between them and the mail system. Nothing changes on an idle host. Not for a thread that sleeps
// many times while a message waits for it, as the writer does in a commit: where other programs use
// up the processors, it would wait for its turn each time.
//
// A policy that the administrator chose stays (chrt(1), CPUSchedulingPolicy=); where the system
// refuses, the usual one does.
void let_others_finish() noexcept;

}  // namespace mtrk
