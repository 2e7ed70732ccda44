#pragma once

#include <cstdint>
#include <utility>

namespace mtrk::mtqpd {

// Limits how many lines a thread may log in a second, so that a flood of connections does not flood
// the log (THR-D11). Call refill() once a second.
class LogBudget {
 public:
  static constexpr unsigned kLines = 50;  // in a second

  [[nodiscard]] bool take() {
    if (left_ == 0) {
      ++suppressed_;
      return false;
    }
    --left_;
    return true;
  }
  // Returns how many lines were not written since the last call.
  [[nodiscard]] std::uint64_t refill() {
    left_ = kLines;
    return std::exchange(suppressed_, 0);
  }

 private:
  unsigned left_ = kLines;
  std::uint64_t suppressed_ = 0;
};

}  // namespace mtrk::mtqpd
