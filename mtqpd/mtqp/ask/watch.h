#pragma once

#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/base/options.h"

#include <chrono>
#include <optional>
#include <string>

namespace mtrk::cli {

// When to look again. Pure: what happens is told, time is added up.
class WatchPlan {
 public:
  static constexpr std::chrono::seconds kMostPatient{600};
  static constexpr int kMaxFailures = 5;  // looks in a row that found no server

  WatchPlan(std::chrono::seconds interval, std::chrono::seconds limit)  // limit 0: none
      : interval_(interval), pause_(interval), limit_(limit) {}

  // After a look with that exit code: how long to wait, or nothing if it is over. Waits grow by
  // half until something changes.
  [[nodiscard]] std::optional<std::chrono::seconds> next(int exit_code, bool changed);

 private:
  std::chrono::seconds interval_;
  std::chrono::seconds pause_;
  std::chrono::seconds limit_;
  std::chrono::seconds waited_{0};
  int failures_ = 0;
};

// mtqp watch: tracks until every recipient's way has ended, and shows what has changed. Returns the
// exit code of the last look.
[[nodiscard]] int run_watch(const WatchOptions& options);

}  // namespace mtrk::cli
