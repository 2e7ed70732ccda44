#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The logical lines of main.cf and master.cf (postconf(5)): a line that starts with white space
// continues the one before; empty lines and those whose first visible character is "#" are no part
// of it, even between two parts.
namespace mtrk::setup {

// A logical line, and where each of its characters stands in the file: an edit goes there and
// leaves the rest of the file, comments and odd line breaks too, as it is. Line feeds are no part
// of `text`.
struct LogicalLine {
  std::string text;
  std::vector<std::size_t> at;  // offset in the file of each character of `text`
  std::size_t number = 0;       // of its first line, from 1
  std::size_t begin = 0;        // of its first physical line
  std::size_t end = 0;          // behind the line feed of its last physical line
};

// Fails for what Postfix itself would not read as an administrator expects: a continuation of
// nothing, NUL, and the line ends of DOS. The error names the line.
[[nodiscard]] Expected<std::vector<LogicalLine>> logical_lines(std::string_view file);

// Characters of a file to be replaced; those of several edits must not overlap.
struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};
[[nodiscard]] std::string apply_edits(std::string_view file, std::vector<Edit> edits);

// The edit that takes out characters `begin` to `end` of a logical line, and nothing between its
// parts.
void take_out(const LogicalLine& line,
              std::size_t begin,
              std::size_t end,
              std::vector<Edit>& edits);

}  // namespace mtrk::setup
