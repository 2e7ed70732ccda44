#include "milter/daemon/signal_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <system_error>

namespace mtrk {
namespace {

std::atomic<int> handler_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler uses it");

// A full pipe holds thousands of signals that were not read yet, so that one more makes no
// difference.
void write_octet(int fd, int signal) noexcept {
  const auto octet = static_cast<unsigned char>(signal);
  static_cast<void>(!::write(fd, &octet, 1));
}

}  // namespace

extern "C" {
static void note_signal(int signal) {
  const int kept = errno;
  write_octet(handler_fd.load(), signal);
  errno = kept;
}
}

SignalPipe::SignalPipe(std::initializer_list<int> signals) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::system_category(), "pipe");
  }
  read_end_ = UniqueFd(ends[0]);
  write_end_ = UniqueFd(ends[1]);
  handler_fd = write_end_.get();
  sigemptyset(&set_);
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : signals) {
    sigaddset(&set_, signal);
    ::sigaction(signal, &action, nullptr);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
}

SignalPipe::~SignalPipe() {
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  handler_fd = -1;
}

int SignalPipe::wait(std::chrono::milliseconds timeout) {
  pollfd readable{read_end_.get(), POLLIN, 0};
  const auto limit =
      std::min<std::chrono::milliseconds::rep>(timeout.count(), std::numeric_limits<int>::max());
  int ready = 0;
  do {
    ready = ::poll(&readable, 1, static_cast<int>(limit));
  } while (ready < 0 && errno == EINTR);  // a handler did this, so there is something to read
  unsigned char octet = 0;
  return ready > 0 && ::read(read_end_.get(), &octet, 1) == 1 ? octet : 0;
}

void SignalPipe::wake() noexcept {
  write_octet(write_end_.get(), 0);
}

void SignalPipe::block_in_this_thread() const noexcept {
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

}  // namespace mtrk
