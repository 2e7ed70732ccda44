#include "common/base/local_offset.h"

#include <ctime>
#include <optional>

namespace mtrk {
namespace {

constexpr std::chrono::days kBack{371};
constexpr std::chrono::days kAhead{2};

Minutes offset_at(TimePoint instant) {
  const std::time_t seconds = instant.time_since_epoch().count();
  std::tm local{};
  localtime_r(&seconds, &local);
  return std::chrono::duration_cast<Minutes>(Seconds(local.tm_gmtoff));
}

}  // namespace

void LocalOffsets::add_change(TimePoint at, Minutes offset) {
  if (count_ < kMost) {
    changes_[count_++] = {at, offset};
  }
}

Minutes LocalOffsets::at(TimePoint instant) const {
  for (std::size_t i = count_; i > 0; --i) {
    if (instant >= changes_[i - 1].at) {
      return changes_[i - 1].offset;
    }
  }
  return first_;
}

TimePoint LocalOffsets::from_wall(TimePoint wall, TimePoint not_before) const {
  TimePoint instant = wall - first_;
  // Each turn passes a change that skipped `wall` or came before it.
  for (std::size_t i = 0; i < count_ && instant >= changes_[i].at; ++i) {
    const TimePoint later = wall - changes_[i].offset;
    if (later < changes_[i].at) {
      break;  // `wall` lies between the two offsets: no clock showed it
    }
    instant = later;
  }
  // Check whether the clock showed `wall` again after the next change.
  for (std::size_t i = 0; i < count_; ++i) {
    const TimePoint again = wall - changes_[i].offset;
    if (changes_[i].at > instant && again >= changes_[i].at && again > instant &&
        not_before > instant + Minutes(1)) {
      return again;
    }
  }
  return instant;
}

LocalOffsets local_offsets(TimePoint reference) {
  using Day = std::chrono::sys_days;
  thread_local std::optional<Day> known_day;
  thread_local LocalOffsets known;
  const Day day = std::chrono::floor<std::chrono::days>(reference);
  if (known_day == day) {
    return known;
  }
  TimePoint from = day - kBack;
  LocalOffsets offsets(offset_at(from));
  for (const TimePoint end = day + kAhead; from < end; from += std::chrono::days(1)) {
    TimePoint low = from;
    TimePoint high = from + std::chrono::days(1);
    const Minutes before = offset_at(low);
    if (offset_at(high) == before) {
      continue;
    }
    while (high - low > Seconds(1)) {
      const TimePoint middle = low + (high - low) / 2;
      (offset_at(middle) == before ? low : high) = middle;
    }
    offsets.add_change(high, offset_at(high));
  }
  known_day = day;
  known = offsets;
  return offsets;
}

}  // namespace mtrk
