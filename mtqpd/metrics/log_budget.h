#pragma once

#include <cstdint>
#include <utility>

namespace mtrk::mtqpd {

// How many lines a thread may log: whoever floods us must not flood the log (THR-D11). Refilled
// once a second.
class LogBudget {
 public:
  static constexpr unsigned kLines = 50;  // a second

  [[nodiscard]] bool take() {
    if (left_ == 0) {
      ++suppressed_;
      return false;
    }
    --left_;
    return true;
  }
  // Lines that were not written since the last call.
  [[nodiscard]] std::uint64_t refill() {
    left_ = kLines;
    return std::exchange(suppressed_, 0);
  }

 private:
  unsigned left_ = kLines;
  std::uint64_t suppressed_ = 0;
};

}  // namespace mtrk::mtqpd
