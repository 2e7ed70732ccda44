#pragma once

#include "common/base/ascii.h"

#include <cstddef>
#include <string_view>

// These functions find where the record in a log line begins and ends. What terminals, file
// transfers and syslog daemons leave between a record and its line feed does not belong to it: CR,
// blanks, tabs, NUL, terminal escape sequences ("ESC[0m"), and control characters as syslog daemons
// spell them ("#015", "^M"). The functions are pure, and linear in what is cut off.
namespace mtrk::maillog {

// Returns `line` without all of that at its end.
[[nodiscard]] std::string_view cut_behind_record(std::string_view line);

// Does the same, and recognises nearly all lines that need no cut by their last octets: these hold
// no control character or blank, and nothing that could be the last of an escape sequence or of the
// spelling of a control character.
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

// Returns `line` without what precedes the record: a byte order mark, NULs (the hole of a truncated
// file), terminal escape sequences and blanks.
[[nodiscard]] std::string_view cut_before_record(std::string_view line);

}  // namespace mtrk::maillog
