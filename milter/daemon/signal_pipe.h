#pragma once

#include "common/base/unique_fd.h"

#include <signal.h>

#include <chrono>
#include <initializer_list>

// The process's signals as something its main thread waits for.
//
// libmilter waits for TERM and INT in a thread of its own, and breaks off the messages under way
// when it gets one. The kernel offers a signal of the process to the main thread first, unless that
// blocks it: so the main thread never does, from before libmilter runs, whatever it is busy with. A
// handler writes the signal into a pipe.
//
// One object a process. wait() is for the main thread, the others for any.
namespace mtrk {

class SignalPipe {
 public:
  // Installs the handlers, and unblocks the signals in this thread; threads made before it block
  // them. Throws std::system_error if there are no descriptors.
  explicit SignalPipe(std::initializer_list<int> signals);
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  // The next signal; 0 after `timeout`, or when woken.
  [[nodiscard]] int wait(std::chrono::milliseconds timeout);
  void wake() noexcept;
  void block_in_this_thread() const noexcept;

 private:
  sigset_t set_;
  UniqueFd read_end_;
  UniqueFd write_end_;
};

}  // namespace mtrk
