#pragma once

#include "common/maillog/log_line.h"

#include <string_view>

// Log lines whose header is none of the three usual ones, or that stand within a frame of another
// program. A line is read from its start, piece by piece, each of a small grammar; nothing is
// searched for further on, where others' words may stand.
//
//   frames   a priority "<22>", "<mail.info>"; the octet count of RFC 6587; "postfix-1  | " of
//            Docker Compose; "[pod/…] " of kubectl; "path:", "12:" of grep; JSON (json_frame.h)
//   stamps   log_stamp.h; after one, "stdout F " of a container runtime and a line of its own
//   words    host names, "mail.info", "mail:info", "<2.6>", "-", columns of macOS' `log show`, or a
//            whole header again (a relay's) before the tag; "[ID 801593 mail.info]" behind it
namespace mtrk::maillog {

// False if it is none of these. Linear; frames within frames are followed a few levels deep.
[[nodiscard]] bool split_foreign_line(std::string_view line,
                                      const StampContext& context,
                                      StampMemo* memo,
                                      LogLine& out);

// Whether a line that was read as one with a usual header may have more of a header than that.
[[nodiscard]] bool has_more_header(const LogLine& line);

// The same. Nearly all lines are told by their first octets.
[[nodiscard]] inline bool may_be_foreign(const LogLine& line) {
  const bool usual = line.pid != 0 && (line.text.empty() || line.text[0] != '[') &&
                     line.program[0] != 'd' && line.program[0] != 'c';
  return !usual && has_more_header(line);
}

}  // namespace mtrk::maillog
