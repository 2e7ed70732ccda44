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

// An OnwardStore is the store as another thread than the writer's may read it. It is open exactly
// as long as the writer has it open: a process has one environment, and a reader that kept an old
// one would keep the writer from opening a new one. Thread-safe.
class OnwardStore {
 public:
  // The writer calls open() after it has opened the store, and close() before it closes it. close()
  // waits for a look-up that is under way, which takes microseconds. If the store cannot be opened,
  // it counts as closed.
  void open(const std::string& path) noexcept;
  void close() noexcept;

  // find() waits this long for a store that has just been closed, as at a reload of the
  // configuration.
  static constexpr std::chrono::milliseconds kReopening{200};
  // Returns the queued messages to which the transaction may belong: the newest with its queue id,
  // or those with its envelope id and certifier. Throws an exception while the store is closed, or
  // if it is broken.
  [[nodiscard]] std::vector<store::QueuedTracking> find(const OnwardTransaction& transaction);

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  std::condition_variable opened_;
  Clock::time_point closed_at_{};
  std::unique_ptr<store::QueuedTrackingReader> reader_;
};

}  // namespace mtrk
