#pragma once

#include <string_view>

// Where a log record ends. What terminals, file transfers and syslog daemons leave between a record
// and its line feed is no part of it: CR, blanks, tabs, NUL, terminal escape sequences ("ESC[0m"),
// and control characters as syslog daemons spell them ("#015", "^M"). Pure, linear in what is cut.
namespace mtrk::maillog {

// `line` without all of that at its end.
[[nodiscard]] std::string_view cut_behind_record(std::string_view line);

// The same. Nearly all lines end with what is theirs, most with a parenthesis, and are told by it.
[[nodiscard]] inline std::string_view record_of(std::string_view line) {
  return line.empty() || line.back() == ')' ? line : cut_behind_record(line);
}

// `line` without a byte order mark, NULs (the hole of a truncated file), terminal escape sequences
// and blanks at its start.
[[nodiscard]] std::string_view cut_before_record(std::string_view line);

}  // namespace mtrk::maillog
