#pragma once

#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

// These functions find the years of stamps that have none. A log may be longer than a year, change
// its kind of stamps on the way, or have lost its modification time. The functions are pure.
namespace mtrk::maillog {

// A YearSample is some line of a log, and the offset at which it begins.
struct YearSample {
  std::uint64_t offset = 0;
  std::string_view line;
};

// A line is read with the reference (StampContext::reference) of the first stretch whose `end` is
// greater than the line's offset.
struct YearStretch {
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  TimePoint reference;
};

// Finds the years by reading the samples from the last to the first. A line belongs to the latest
// year that does not put it after the line that follows it. A little disorder is allowed: a day, or
// months within one year for logs that were put together in another order. A line that has a year
// passes it on to the lines before it, and to those at the end of a log that was not written
// recently. The samples must be in the order of the log; `reference` is when the log was written.
// The result has at least one stretch.
[[nodiscard]] std::vector<YearStretch> find_years(std::span<const YearSample> samples,
                                                  TimePoint reference,
                                                  const LocalOffsets& zone);

// Returns the stretch of a line that begins at `offset`.
[[nodiscard]] const YearStretch& stretch_at(const std::vector<YearStretch>& stretches,
                                            std::uint64_t offset);

}  // namespace mtrk::maillog
