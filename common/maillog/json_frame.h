#pragma once

#include <string>
#include <string_view>

namespace mtrk::maillog {

// The log line that a JSON object stands for, as containers' runtimes, the journal (journalctl -o
// json), syslog daemons and collectors write one a line: "[STAMP ][HOST ][PROGRAM[PID]: ]MESSAGE"
// of the members that are known for these, into `line`. Control characters in the message become
// "?". False if it is no such object, or has no message. Linear; nothing deeper than a few levels
// is looked at.
[[nodiscard]] bool decode_json_frame(std::string_view json, std::string& line);

}  // namespace mtrk::maillog
