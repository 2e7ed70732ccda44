#pragma once

#include <chrono>
#include <optional>

namespace mtrk {

// Says whether the wall clock may be believed when records are to expire: not within ten minutes of
// a jump of more than a minute against the monotonic clock (reliability L18). A clock set a year
// ahead would otherwise empty the store.
class ClockGuard {
 public:
  using Wall = std::chrono::system_clock::time_point;
  using Steady = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kTolerance{60};
  static constexpr std::chrono::minutes kSettle{10};

  // Call it regularly.
  [[nodiscard]] bool trusts(Wall wall, Steady steady) {
    const auto offset = wall.time_since_epoch() - steady.time_since_epoch();
    if (offset_ && (offset - *offset_ > kTolerance || *offset_ - offset > kTolerance)) {
      distrusted_until_ = steady + kSettle;
    }
    offset_ = offset;
    return !distrusted_until_ || steady >= *distrusted_until_;
  }

 private:
  std::optional<std::chrono::nanoseconds> offset_;
  std::optional<Steady> distrusted_until_;
};

}  // namespace mtrk
