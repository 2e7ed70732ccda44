#pragma once

#include "milter/ctl/log_reader.h"

#include <string>
#include <vector>

// `mtrkctl events`: every delivery event of the logs as NDJSON on stdout (mtrkctl(8)), and on
// stderr one summary line "lines=N events=N ignored=N unparsed=N", preceded by the lines that look
// like a delivery but do not match (at most 20 are shown, all are counted). Keys that only some
// events have: "client", "orig_queue_id", "orig_id", "message_id", "sender", "recipients", "by",
// "kind", "child", "forwarded_as"; Sendmail's "from", "targets", "owner", "children"; where the
// event has them.
namespace mtrk {

struct EventsOptions {
  std::vector<std::string> logs;  // paths in the order to read; "-" is stdin
  LogOwner owner;
  Config::Log log = {};  // what a journal is read by
};

// Exit code (sysexits): 0; 1 some delivery line was not understood; 65 a log, or lines of it, are
// in a format that is unknown (" unknown_format=N" is added to the summary); 66 a log cannot be
// opened; 74 reading or writing failed. Never throws.
[[nodiscard]] int run_events(const EventsOptions& options);

}  // namespace mtrk
