#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// These functions split main.cf and master.cf into logical lines (postconf(5)). A line that starts
// with white space continues the previous line. Empty lines, and lines whose first visible
// character is "#", are not part of a logical line, even between two of its parts.
namespace mtrk::setup {

// A LogicalLine knows where each of its characters stands in the file. So an edit goes there and
// leaves the rest of the file as it is, including comments and odd line breaks. `text` has no line
// feeds.
struct LogicalLine {
  std::string text;
  std::vector<std::size_t> at;  // offset in the file for each character of `text`
  std::size_t number = 0;       // number of its first physical line, counted from 1
  std::size_t begin = 0;        // offset of its first physical line
  std::size_t end = 0;          // offset after the line feed of its last physical line
};

// Fails for input that Postfix would not read as an administrator expects: a continuation of
// nothing, NUL, and DOS line ends. The error names the line.
[[nodiscard]] Expected<std::vector<LogicalLine>> logical_lines(std::string_view file);

// An Edit replaces characters of a file. Edits that are applied together must not overlap.
struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};
[[nodiscard]] std::string apply_edits(std::string_view file, std::vector<Edit> edits);

// Adds edits that remove characters `begin` to `end` of a logical line, but nothing that stands
// between its parts.
void take_out(const LogicalLine& line,
              std::size_t begin,
              std::size_t end,
              std::vector<Edit>& edits);

}  // namespace mtrk::setup
