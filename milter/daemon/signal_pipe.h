#pragma once

#include "common/base/unique_fd.h"

#include <signal.h>

#include <chrono>
#include <initializer_list>

// Lets the main thread wait for the signals of the process.
//
// libmilter waits for TERM and INT in a thread of its own, and breaks off the messages under way
// when it gets one. The kernel offers a signal of the process to the main thread first, unless that
// thread blocks it. So the main thread never blocks these signals from before libmilter runs,
// whatever it is busy with. A handler writes the signal into a pipe.
//
// A process has one object. wait() is for the main thread, the other functions are for any thread.
namespace mtrk {

class SignalPipe {
 public:
  // Installs the handlers, and unblocks the signals in this thread; threads made before block them.
  // Throws std::system_error if there are no descriptors.
  explicit SignalPipe(std::initializer_list<int> signals);
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  // Returns the next signal; 0 after `timeout` or wake().
  [[nodiscard]] int wait(std::chrono::milliseconds timeout);
  void wake() noexcept;
  void block_in_this_thread() const noexcept;

 private:
  sigset_t set_;
  UniqueFd read_end_;
  UniqueFd write_end_;
};

}  // namespace mtrk
