#pragma once

#include "common/base/time.h"

#include <array>
#include <cstddef>

// The offset of a zone over a stretch of time, with the few changes (daylight saving) in it.
namespace mtrk {

class LocalOffsets {
 public:
  constexpr LocalOffsets() = default;
  // One offset, always.
  constexpr LocalOffsets(Minutes offset) : first_(offset) {}  // NOLINT: a Minutes is such a zone

  // From `at` on it is `offset`. In order of time; more than kMost changes are left out.
  void add_change(TimePoint at, Minutes offset);

  [[nodiscard]] Minutes at(TimePoint instant) const;

  // The instant when a clock of this zone showed `wall` (as if it were UTC). A time that came twice
  // is the first one, unless `not_before` is later than that by more than a minute (lines of a log
  // are in order but for a little); one that the clock skipped is read as if it had not been put
  // forward.
  [[nodiscard]] TimePoint from_wall(TimePoint wall, TimePoint not_before = TimePoint::min()) const;

  bool operator==(const LocalOffsets&) const = default;

 private:
  static constexpr std::size_t kMost = 6;
  struct Change {
    TimePoint at;
    Minutes offset{0};
    bool operator==(const Change&) const = default;
  };
  Minutes first_{0};
  std::array<Change, kMost> changes_{};
  std::size_t count_ = 0;
};

// Of this machine's zone (TZ or /etc/localtime, as localtime_r() has it) for the year and some days
// around `reference` in which the stamps of a log without years lie. Kept per thread: cheap to ask
// for again.
[[nodiscard]] LocalOffsets local_offsets(TimePoint reference);

}  // namespace mtrk
