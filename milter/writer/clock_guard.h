#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace mtrk {

// Says whether the wall clock may be believed when records are to expire: a clock that is a year
// ahead would otherwise empty the store. It has to agree for ten minutes
//
//   * with itself: no jump of more than a minute against the monotonic clock. So nothing expires in
//     the first ten minutes after a start either, when the time may not have been set yet;
//   * with the log, if that has lines: the newest one read is not days away from it.
//
// Where it is days away from when the store was last written to, as after a long pause or with a
// wrong clock, nobody can tell which it was: then it takes a day.
class ClockGuard {
 public:
  using Wall = std::chrono::system_clock::time_point;
  using Steady = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kTolerance{60};
  static constexpr std::chrono::minutes kSettle{10};
  static constexpr std::chrono::hours kFar{48};
  static constexpr std::chrono::hours kSettleFar{24};

  // `last_written`: when the store was, before this start; nothing for a new one.
  explicit ClockGuard(std::optional<Wall> last_written = std::nullopt)
      : last_written_(last_written) {}

  // Call it regularly. `newest_line`: the newest stamp of the log lines read since the start.
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
