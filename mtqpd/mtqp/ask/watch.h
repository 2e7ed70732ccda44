#pragma once

#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/base/options.h"

#include <chrono>
#include <optional>
#include <string>

namespace mtrk::cli {

// Decides when to look again. Pure: the caller says what happened, and time is added up.
class WatchPlan {
 public:
  static constexpr std::chrono::seconds kMostPatient{600};
  static constexpr int kMaxFailures = 5;  // looks in a row that reached no server

  WatchPlan(std::chrono::seconds interval, std::chrono::seconds limit)  // 0: no limit
      : interval_(interval), pause_(interval), limit_(limit) {}

  // Returns how long to wait after a look with that exit code, or nothing if the watch is over. The
  // pauses grow by half until something changes.
  [[nodiscard]] std::optional<std::chrono::seconds> next(int exit_code, bool changed);

 private:
  std::chrono::seconds interval_;
  std::chrono::seconds pause_;
  std::chrono::seconds limit_;
  std::chrono::seconds waited_{0};
  int failures_ = 0;
};

// Runs mtqp watch, which tracks until the way of every recipient has ended, and shows what has
// changed. Returns the exit code of the last look.
[[nodiscard]] int run_watch(const WatchOptions& options);

}  // namespace mtrk::cli
