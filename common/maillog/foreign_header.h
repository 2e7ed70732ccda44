#pragma once

#include "common/maillog/log_line.h"

#include <string_view>

// These functions read log lines whose header is none of the three usual ones, or that are wrapped
// in a frame of another program. A line is read from its start, piece by piece, each by a small
// grammar. Nothing is searched for later in the line, because the text there may have been written
// by others.
//
//   frames   a priority "<22>", "<mail.info>"; the octet count of RFC 6587; "postfix-1  | " of
//            Docker Compose; "[pod/…] " of kubectl; "path:", "12:" of grep; JSON (json_frame.h)
//   stamps   log_stamp.h; after one, "stdout F " of a container runtime and a line of its own
//   words    host names, "mail.info", "mail:info", "<2.6>", "-", columns of macOS' `log show`, or a
//            whole header again (a relay's) before the tag; "[ID 801593 mail.info]" after it
namespace mtrk::maillog {

// Returns false if the line has none of these. Time is linear; nested frames are followed only a
// few levels deep.
[[nodiscard]] bool split_foreign_line(std::string_view line,
                                      const StampContext& context,
                                      StampMemo* memo,
                                      LogLine& out);

// Returns whether a line that was read with a usual header may have further header parts.
[[nodiscard]] bool has_more_header(const LogLine& line);

// Answers the same question, for nearly all lines by their first octets.
[[nodiscard]] inline bool may_be_foreign(const LogLine& line) {
  const bool usual = line.pid != 0 && (line.text.empty() || line.text[0] != '[') &&
                     line.program[0] != 'd' && line.program[0] != 'c';
  return !usual && has_more_header(line);
}

}  // namespace mtrk::maillog
