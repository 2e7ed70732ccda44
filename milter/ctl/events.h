#pragma once

#include "milter/ctl/log_reader.h"

#include <string>
#include <vector>

// `mtrkctl events` prints every delivery event of the logs to stdout as NDJSON (mtrkctl(8)). It
// prints one summary line "lines=N events=N ignored=N unparsed=N" to stderr. Before that line it
// shows the lines that look like a delivery but do not match (at most 20 are shown, all are
// counted). Some keys appear only in events that have them: "client", "orig_queue_id", "orig_id",
// "message_id", "sender", "recipients", "by", "kind", "child", "forwarded_as", and Sendmail's
// "from", "targets", "owner", "children".
namespace mtrk {

struct EventsOptions {
  std::vector<std::string> logs;  // paths in reading order; "-" is stdin
  LogOwner owner;
  Config::Log log = {};  // settings for reading a journal
};

// Returns the exit code (sysexits) and never throws:
//
//   0   every line was understood
//   1   some delivery line was not understood
//   65  a log, or some of its lines, are in an unknown format (the summary adds "
//   unknown_format=N") 66  a log cannot be opened 74  reading or writing failed
[[nodiscard]] int run_events(const EventsOptions& options);

}  // namespace mtrk
