#pragma once

#include "common/maillog/log_years.h"

#include <cstdint>
#include <string_view>
#include <vector>

// The years of a log (log_years.h) from its lines: of all of them if they are few, else of samples
// over the whole file, which takes a few milliseconds whatever its size.
namespace mtrk {

// `reference` is when the log was written. What cannot be read tells nothing: whoever reads the log
// next meets the error.
[[nodiscard]] std::vector<maillog::YearStretch> years_of_file(int fd,
                                                              std::uint64_t size,
                                                              TimePoint reference);

// The same for lines that are in memory.
[[nodiscard]] std::vector<maillog::YearStretch> years_of_lines(std::string_view lines,
                                                               TimePoint reference);

}  // namespace mtrk
