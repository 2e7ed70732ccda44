#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace mtrk {

// Decides whether an end-of-message callback waits for its commit at all. After three failures or
// timeouts in a row nobody waits (open); captures still go to the store. It closes again once the
// writer has committed for ten seconds without a failed or slow commit, so a store that hangs costs
// three messages `commit_wait` each and the others nothing (THR-M3).
//
// Thread-safe. The clock is a parameter.
class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr int kFailuresToOpen = 3;
  static constexpr Clock::duration kHealthyToClose = std::chrono::seconds(10);
  static constexpr Clock::duration kSlowCommit = std::chrono::milliseconds(100);

  // The callback's side.
  [[nodiscard]] bool allows_wait(Clock::time_point now);
  enum class Change { none, opened };
  void wait_succeeded();
  Change wait_failed();  // failed, or the deadline passed

  // The writer's side: every commit that did something, and how long it took.
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
