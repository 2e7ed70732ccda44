#pragma once

#include "common/base/unique_fd.h"
#include "milter/counters.h"
#include "milter/log_source.h"
#include "milter/store_queue.h"

#include <atomic>
#include <thread>

namespace mtrk {

// The thread that moves log lines from the source into the store queue as they are written: woken
// by inotify, and every second in any case (network file systems, lost events). A burst is read at
// once; between two reads it pauses for a few milliseconds, so that a busy log costs some fifty
// wake-ups a second and not one a line.
class LogFollower {
 public:
  static constexpr std::chrono::milliseconds kPause{15};
  static constexpr std::chrono::milliseconds kPoll{1000};

  LogFollower(FileLogSource source, StoreQueue& queue, Counters& counters);
  ~LogFollower();  // stops and joins; the queue must be closed if it may be full
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  void start();
  // Asks the thread to end; what it has not pushed is read again after the next start.
  void request_stop();
  void join();

 private:
  void run() noexcept;
  void follow();
  bool push_all();
  void watch();
  void wait();

  FileLogSource source_;
  StoreQueue& queue_;
  Counters& counters_;
  UniqueFd stop_event_;
  UniqueFd inotify_;
  int file_watch_ = -1;
  FileId watched_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace mtrk
