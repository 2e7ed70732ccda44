#pragma once

#include "common/maillog/log_years.h"

#include <cstdint>
#include <string_view>
#include <vector>

// These functions find the years of a log (log_years.h) from its lines. They look at all lines of a
// small log, and otherwise at samples from the whole file, which takes a few milliseconds whatever
// its size.
namespace mtrk {

// `reference` is when the log was written. Parts that cannot be read are ignored, because the next
// reader of the log meets the error.
[[nodiscard]] std::vector<maillog::YearStretch> years_of_file(int fd,
                                                              std::uint64_t size,
                                                              TimePoint reference);

// Does the same for lines that are in memory.
[[nodiscard]] std::vector<maillog::YearStretch> years_of_lines(std::string_view lines,
                                                               TimePoint reference);

}  // namespace mtrk
