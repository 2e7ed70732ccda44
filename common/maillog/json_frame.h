#pragma once

#include <string>
#include <string_view>

namespace mtrk::maillog {

// Decodes the log line that a JSON object stands for. Container runtimes, the journal (journalctl
// -o json), syslog daemons and collectors write one such object a line. `line` becomes "[STAMP
// ][HOST ][PROGRAM[PID]: ]MESSAGE", made from the members that are known for these parts. Control
// characters in the message become "?". Returns false if `json` is no such object or has no
// message. Time is linear; nothing deeper than a few levels is read.
[[nodiscard]] bool decode_json_frame(std::string_view json, std::string& line);

}  // namespace mtrk::maillog
