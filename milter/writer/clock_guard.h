#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace mtrk {

// A ClockGuard says whether the wall clock may be believed when records are to expire, because a
// clock that is a year ahead would empty the store. For ten minutes the clock has to agree
//
//   * with itself: it has not jumped by more than a minute against the monotonic clock. So nothing
//     expires in the first ten minutes after a start either, when the time may not be set yet;
//   * with the log, if that has lines: the newest line read is not days away from the clock.
//
// If the clock is days away from when the store was last written, the pause may have been long or
// the clock may be wrong, and nothing shows which. Then it has to agree for a day.
class ClockGuard {
 public:
  using Wall = std::chrono::system_clock::time_point;
  using Steady = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kTolerance{60};
  static constexpr std::chrono::minutes kSettle{10};
  static constexpr std::chrono::hours kFar{48};
  static constexpr std::chrono::hours kSettleFar{24};

  // `last_written` is when the store was last written before this start; nothing for a new store.
  explicit ClockGuard(std::optional<Wall> last_written = std::nullopt)
      : last_written_(last_written) {}

  // To be called regularly. `newest_line` is the newest stamp of the log lines read since the
  // start.
  [[nodiscard]] bool trusts(Wall wall,
                            Steady steady,
                            std::optional<Wall> newest_line = std::nullopt) {
    const auto offset = wall.time_since_epoch() - steady.time_since_epoch();
    if (!offset_) {
      const bool far = last_written_ && apart(wall - *last_written_, kFar);
      trusted_from_ = steady + (far ? std::chrono::seconds(kSettleFar) : kSettle);
    } else if (apart(offset - *offset_, kTolerance) ||
               (newest_line && apart(wall - *newest_line, kFar))) {
      trusted_from_ = std::max(trusted_from_, steady + kSettle);
    }
    offset_ = offset;
    return steady >= trusted_from_;
  }

 private:
  template <typename Duration>
  static bool apart(Duration difference, std::chrono::seconds limit) {
    return difference > limit || difference < -limit;
  }

  std::optional<Wall> last_written_;
  std::optional<std::chrono::nanoseconds> offset_;
  Steady trusted_from_{};
};

}  // namespace mtrk
