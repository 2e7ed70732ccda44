#pragma once

#include "common/store/queued_tracking.h"
#include "common/track/onward_query.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mtrk {

// The store as another thread than the writer's may read it: open exactly as long as the writer has
// it open, as a process has one environment, and a reader that kept an old one would keep the
// writer from a new one. Thread-safe.
class OnwardStore {
 public:
  // The writer's: after it has opened the store, and before it closes it. close() waits for a
  // look-up that is under way: microseconds. What cannot be opened is as if it was closed.
  void open(const std::string& path) noexcept;
  void close() noexcept;

  // A store that was closed a moment ago is waited for, as at a reload of the configuration.
  static constexpr std::chrono::milliseconds kReopening{200};
  // The queued messages that the transaction may be of: the newest with its queue id, or those with
  // its envelope id and certifier. Throws while it is closed, or if the store is broken.
  [[nodiscard]] std::vector<store::QueuedTracking> find(const OnwardTransaction& transaction);

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  std::condition_variable opened_;
  Clock::time_point closed_at_{};
  std::unique_ptr<store::QueuedTrackingReader> reader_;
};

}  // namespace mtrk
