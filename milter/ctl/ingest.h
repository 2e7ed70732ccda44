#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>
#include <vector>

// `mtrkctl ingest`: applies whole logs to the store once. Position and events are committed
// together, so an ingest that was interrupted, however, goes on where it was, and doing it twice
// changes nothing. A last line without line feed waits for the next time. On stderr one summary
// line "lines=N events=N ignored=N unparsed=N applied=N", preceded by lines that look like a
// delivery but do not match (at most 20 are shown, all are counted).
namespace mtrk {

struct IngestOptions {
  std::vector<std::string> logs;  // regular files, "journal", "journal:/path"; in this order
  Config config;
  std::optional<Mta> mta;  // whose logs they are; else as the log tells, else as the configuration
};

// Exit code (sysexits): 0; 1 some delivery line was not understood; 65 a log, or lines of
// it, are in a format that is unknown (" unknown_format=N" is added to the summary); 66 a log
// cannot be opened; 66, 73, 77, 78 the store cannot be opened; 74 reading or writing failed; 75 the
// store is full. Never throws.
[[nodiscard]] int run_ingest(const IngestOptions& options);

}  // namespace mtrk
