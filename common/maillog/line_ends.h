#pragma once

#include "common/base/ascii.h"

#include <cstddef>
#include <string_view>

// Where a line of a log ends. What terminals, file transfers and syslog daemons leave between a
// record and its line feed is no part of it: CR, blanks, tabs, NUL, terminal escape sequences
// ("ESC[0m"), and control characters as syslog daemons spell them ("#015", "^M"). Pure, linear in
// what is cut.
namespace mtrk::maillog {

// `line` without all of that at its end.
[[nodiscard]] std::string_view cut_behind_record(std::string_view line);

// The same. Nearly all lines end with what is theirs, and are told by it: no control character or
// blank, and nothing that could be the last of an escape sequence or of a control character's
// spelling.
[[nodiscard]] inline std::string_view record_of(std::string_view line) {
  constexpr std::size_t kLongestSpelling = 4;  // "#015"
  if (line.size() < kLongestSpelling) {
    return cut_behind_record(line);
  }
  const char last = line.back();
  const char before = line[line.size() - 2];
  const bool plain = last > ' ' && last != '\x7f' && before != '^' && before != '[' &&
                     line[line.size() - kLongestSpelling] != '#' &&
                     (!is_alpha(last) || before > '?' || before < '0');
  return plain ? line : cut_behind_record(line);
}

// `line` without a byte order mark, NULs (the hole of a truncated file), terminal escape sequences
// and blanks at its start.
[[nodiscard]] std::string_view cut_before_record(std::string_view line);

}  // namespace mtrk::maillog
