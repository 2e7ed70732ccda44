#pragma once

#include "common/base/time.h"

#include <array>
#include <cstddef>

// LocalOffsets holds the UTC offset of a time zone over a stretch of time, including the few
// changes (daylight saving time) within it.
namespace mtrk {

class LocalOffsets {
 public:
  constexpr LocalOffsets() = default;
  // The zone has this offset at all times.
  constexpr LocalOffsets(Minutes offset) : first_(offset) {}  // NOLINT: a Minutes is such a zone

  // The offset is `offset` from `at` on. Changes must be added in the order of time; after kMost of
  // them, further ones are ignored.
  void add_change(TimePoint at, Minutes offset);

  [[nodiscard]] Minutes at(TimePoint instant) const;

  // Returns the instant at which a clock of this zone showed `wall` (a local time, given as if it
  // were UTC). If the clock showed that time twice, this is the first instant, unless `not_before`
  // is more than a minute later than the first one: the lines of a log are nearly in order. A time
  // that the clock skipped is read with the offset before the change.
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

// Returns the offsets of this machine's time zone (TZ or /etc/localtime, as localtime_r() applies
// it) for about a year before `reference` and two days after it, the range in which the stamps of a
// log without years lie. The result is cached per thread, so repeated calls are cheap.
[[nodiscard]] LocalOffsets local_offsets(TimePoint reference);

}  // namespace mtrk
