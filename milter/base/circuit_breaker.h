#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace mtrk {

// Decides whether an end-of-message callback waits for its commit at all. After three failures or
// timeouts in a row the breaker opens: callbacks do not wait, but captures still go to the store.
// It closes again once the writer has committed for ten seconds without a failed or slow commit. So
// a store that hangs costs three messages `commit_wait` each, and the others nothing (THR-M3).
//
// Thread-safe. The clock is a parameter.
class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr int kFailuresToOpen = 3;
  static constexpr Clock::duration kHealthyToClose = std::chrono::seconds(10);
  static constexpr Clock::duration kSlowCommit = std::chrono::milliseconds(100);

  // The callback calls these.
  [[nodiscard]] bool allows_wait(Clock::time_point now);
  enum class Change { none, opened };
  void wait_succeeded();
  Change wait_failed();  // it failed, or the deadline passed

  // The writer calls these: for every commit that did something, with the time that it took, and
  // for every one that failed.
  void committed(Clock::time_point now, Clock::duration took);
  void commit_failed();

  [[nodiscard]] bool open() const;

 private:
  mutable std::mutex mutex_;
  int failures_ = 0;
  bool open_ = false;
  std::optional<Clock::time_point> healthy_since_;  // only while open
};

}  // namespace mtrk
