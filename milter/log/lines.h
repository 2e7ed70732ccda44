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
  // For stamps without a year: when the file was written last, as it was when these lines were
  // read. A follower needs no log_years.h: it reads lines within minutes of their being written,
  // and what it missed while it did not run is no older than the records that the lines could be
  // about. Only lines that are more than a year older than their file (warm_up of a very quiet log,
  // at most) get a year too late, and those are of messages that nobody follows any more.
  TimePoint reference;
  bool warm_up = false;  // applied before; only to be remembered
};

}  // namespace mtrk
