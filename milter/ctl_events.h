#pragma once

#include "common/config/config.h"

#include <string>
#include <vector>

// `mtrkctl events`: every delivery event of the logs as NDJSON on stdout (DESIGN §8), and on stderr
// one summary line "lines=N events=N ignored=N unparsed=N", preceded by the lines that look like a
// delivery but do not match (at most 20 are shown, all are counted).
namespace mtrk {

struct EventsOptions {
  std::vector<std::string> logs;  // paths in the order to read; "-" is stdin
  Mta mta = Mta::postfix;
};

// Exit code (sysexits): 0; 1 some delivery line was not understood; 66 a log cannot be opened; 69
// the MTA is not supported by this release; 74 reading or writing failed. Never throws.
[[nodiscard]] int run_events(const EventsOptions& options);

}  // namespace mtrk
