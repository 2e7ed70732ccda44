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

// The thread that moves log lines from the source into the store queue as they are written: woken
// by the source, and every second in any case. A burst is read at once; between two reads it pauses
// for a few milliseconds, so that a busy log costs some fifty wake-ups a second and not one a line.
class LogFollower {
 public:
  static constexpr std::chrono::milliseconds kPause{15};

  // Called on the follower's thread, which the source never leaves (milter/log/source.h).
  using OpenSource = std::function<std::unique_ptr<LogSource>()>;

  LogFollower(OpenSource open, StoreQueue& queue, Counters& counters);
  ~LogFollower();  // stops and joins; the queue must be closed if it may be full
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  void start();
  // Asks the thread to end; what it has not pushed is read again after the next start.
  void request_stop();
  void join();
  // Whether the source had no more lines at some moment after `since`, and all before that are in
  // the queue. Any thread.
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
