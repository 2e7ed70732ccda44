#pragma once

#include "common/base/unique_fd.h"
#include "milter/base/counters.h"
#include "milter/log/source.h"
#include "milter/writer/queue.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace mtrk {

// A LogFollower is the thread that moves log lines from the source into the store queue as they are
// written. The source wakes it, and it looks every second in any case. It reads a burst at once,
// and pauses for a few milliseconds between two reads, so that a busy log costs some fifty wake-ups
// a second and not one a line.
class LogFollower {
 public:
  static constexpr std::chrono::milliseconds kPause{15};

  // This is called on the follower's thread, on which the source stays (milter/log/source.h).
  using OpenSource = std::function<std::unique_ptr<LogSource>()>;

  LogFollower(OpenSource open, StoreQueue& queue, Counters& counters);
  ~LogFollower();  // stops and joins; if the queue may be full, it must be closed
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  void start();
  // Asks the thread to end. Lines that it has not pushed are read again after the next start.
  void request_stop();
  void join();
  // Returns true if at some moment after `since` the source had no more lines and all lines before
  // were in the queue. May be called from any thread.
  [[nodiscard]] bool has_caught_up(std::chrono::steady_clock::time_point since) const {
    return caught_up_.load() > since.time_since_epoch().count();
  }

 private:
  void run() noexcept;
  void follow(LogSource& source);
  bool push_all(LogSource& source);
  void wait(LogSource& source, int fd);

  OpenSource open_;
  StoreQueue& queue_;
  Counters& counters_;
  UniqueFd stop_event_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::chrono::steady_clock::rep> caught_up_{0};
  std::thread thread_;
};

}  // namespace mtrk
