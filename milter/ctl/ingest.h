#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>
#include <vector>

// `mtrkctl ingest` applies whole logs to the store once. The position is committed together with
// the events. So an ingest that was interrupted in any way continues where it was, and repeating it
// changes nothing. A last line without a line feed is left for the next time. It prints one summary
// line "lines=N events=N ignored=N unparsed=N applied=N" to stderr. Before that line it shows the
// lines that look like a delivery but do not match (at most 20 are shown, all are counted).
namespace mtrk {

struct IngestOptions {
  std::vector<std::string> logs;  // regular files, "journal", "journal:/path", in reading order
  Config config;
  std::optional<Mta> mta;  // whose logs they are; if empty, log or configuration decide
};

// Returns the exit code (sysexits) and never throws:
//
//   0               every line was understood
//   1               some delivery line was not understood
//   65              a log, or some of its lines, are in an unknown format (the summary adds
//                   " unknown_format=N")
//   66              a log cannot be opened
//   66, 73, 77, 78  the store cannot be opened
//   74              reading or writing failed
//   75              the store is full
[[nodiscard]] int run_ingest(const IngestOptions& options);

}  // namespace mtrk
