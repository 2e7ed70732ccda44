#pragma once

#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

// The years of stamps that tell none, over a log that may be longer than a year, change its stamps
// on the way, or have lost the time it was written at. Pure.
namespace mtrk::maillog {

// Some line of a log, and where it begins.
struct YearSample {
  std::uint64_t offset = 0;
  std::string_view line;
};

// Lines that begin before `end` are read with the reference of the first stretch that this is true
// of (StampContext::reference).
struct YearStretch {
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  TimePoint reference;
};

// Read from the last line back to the first: a line is of the latest year that does not put it
// behind the line that follows it, but for a little disorder (a day; months within one year, for
// logs that were put together in another order). A line that tells its year gives it to those
// before, and to those at the end of a log that was not written lately. The samples are in their
// order, `reference` is when the log was written. There is at least one stretch.
[[nodiscard]] std::vector<YearStretch> find_years(std::span<const YearSample> samples,
                                                  TimePoint reference,
                                                  const LocalOffsets& zone);

// The stretch of a line that begins at `offset`.
[[nodiscard]] const YearStretch& stretch_at(const std::vector<YearStretch>& stretches,
                                            std::uint64_t offset);

}  // namespace mtrk::maillog
