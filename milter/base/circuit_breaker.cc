#include "milter/base/circuit_breaker.h"

namespace mtrk {

bool CircuitBreaker::allows_wait(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (open_ && healthy_since_ && now - *healthy_since_ >= kHealthyToClose) {
    open_ = false;
    failures_ = 0;
    healthy_since_.reset();
  }
  return !open_;
}

void CircuitBreaker::wait_succeeded() {
  const std::lock_guard lock(mutex_);
  if (!open_) {
    failures_ = 0;
  }
}

CircuitBreaker::Change CircuitBreaker::wait_failed() {
  const std::lock_guard lock(mutex_);
  if (open_ || ++failures_ < kFailuresToOpen) {
    return Change::none;
  }
  open_ = true;
  healthy_since_.reset();
  return Change::opened;
}

void CircuitBreaker::committed(Clock::time_point now, Clock::duration took) {
  const std::lock_guard lock(mutex_);
  if (!open_) {
    return;
  }
  if (took > kSlowCommit) {
    healthy_since_.reset();
  } else if (!healthy_since_) {
    healthy_since_ = now;
  }
}

void CircuitBreaker::commit_failed() {
  const std::lock_guard lock(mutex_);
  healthy_since_.reset();
}

bool CircuitBreaker::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace mtrk
