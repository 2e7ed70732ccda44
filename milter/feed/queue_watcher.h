#pragma once

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "milter/base/counters.h"
#include "milter/feed/log_follower.h"
#include "milter/writer/queue.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace mtrk {

// A QueueWatcher is the thread that asks the MTA for the list of its queue, at the start and then
// at intervals, and hands the list to the store writer (reconcile.h). If the list cannot be had,
// nothing changes: the failure is counted, and logged once until there is a list again.
class QueueWatcher {
 public:
  QueueWatcher(const Config& config,
               const LogFollower& follower,
               StoreQueue& queue,
               Counters& counters);
  ~QueueWatcher();  // stops and joins
  QueueWatcher(const QueueWatcher&) = delete;
  QueueWatcher& operator=(const QueueWatcher&) = delete;

  void start();  // does nothing if [log] reconcile is 0
  void request_stop();
  void join();

 private:
  void run() noexcept;
  void ask();
  void note_moves(const store::QueueReport& report);
  [[nodiscard]] std::string list(store::QueueReport& report);
  [[nodiscard]] bool wait_for_log(std::chrono::steady_clock::time_point since);
  [[nodiscard]] bool sleep(std::chrono::milliseconds time);

  const Mta mta_;
  const Seconds interval_;
  const std::vector<std::vector<std::string>> commands_;
  const LogFollower& follower_;
  StoreQueue& queue_;
  Counters& counters_;
  UniqueFd stop_event_;
  std::size_t fingerprint_ = 0;  // of the queue ids on the list before
  std::uint64_t gaps_ = 0;       // gaps of the log when the list before was taken
  bool complained_ = false;
  std::thread thread_;
};

}  // namespace mtrk
