#pragma once

#include "common/base/time.h"
#include "common/store/tracking_writer.h"

#include <cstddef>
#include <string>

namespace mtrk {

// LogLines holds complete log lines as a source read them, with the position after them. The log
// follower passes them through the queue to the writer thread, which parses them in place.
struct LogLines {
  // This is a number of octets; a longer line is left out.
  static constexpr std::size_t kLongest = 64 * 1024;
  static constexpr std::size_t kWarmUp = 1024 * 1024;  // octets before the position; see warm_up

  std::string source;       // name of the cursor
  std::string lines;        // each with its LF
  store::LogCursor cursor;  // after the last line
  TimePoint reference;      // for stamps without a year
  bool warm_up = false;     // applied before; only to be remembered
};

}  // namespace mtrk
