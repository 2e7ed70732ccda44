#include "common/maillog/line_ends.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <cstddef>

namespace mtrk::maillog {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::size_t kLongestEscape = 16;  // octets of an escape sequence

bool is_control(char c) {
  return (c >= 0 && c < ' ') || c == '\x7f';
}
bool is_escape_parameter(char c) {
  return is_digit(c) || c == ';' || c == '?';
}

// Returns the length of a sequence like "ESC[0;39m" at the end of `line`, which ends with a letter.
std::size_t escape_at_end(std::string_view line) {
  const std::size_t most = std::min(line.size(), kLongestEscape);
  std::size_t length = 1;
  while (length < most && is_escape_parameter(line[line.size() - 1 - length])) {
    ++length;
  }
  const bool is_sequence = length + 1 < most && line[line.size() - 1 - length] == '[' &&
                           line[line.size() - 2 - length] == kEscape;
  return is_sequence ? length + 2 : 0;
}

// Returns the length of "#015", rsyslog's spelling of a control character, at the end of `line`.
std::size_t octal_at_end(std::string_view line) {
  constexpr std::size_t kLength = 4;
  if (line.size() < kLength || line[line.size() - kLength] != '#') {
    return 0;
  }
  const std::string_view digits = line.substr(line.size() - kLength + 1);
  const std::optional<unsigned> value = parse_number<unsigned>(digits, 8);
  return value && (*value < ' ' || *value == 0x7f) ? kLength : 0;
}

// Returns the length of "^M", the spelling of BSD and busybox, at the end of `line`. Only line ends
// and NUL count; others are left alone.
std::size_t caret_at_end(std::string_view line) {
  const bool is_caret = line.size() >= 2 && line[line.size() - 2] == '^' &&
                        (line.back() == 'M' || line.back() == 'J' || line.back() == '@');
  return is_caret ? 2 : 0;
}

std::size_t excess(std::string_view line) {
  const char last = line.back();
  if (last == ' ' || is_control(last)) {
    return 1;
  }
  if (is_digit(last)) {
    return octal_at_end(line);
  }
  const std::size_t caret = caret_at_end(line);
  return caret == 0 && is_alpha(last) ? escape_at_end(line) : caret;
}

std::size_t escape_at_start(std::string_view line) {
  if (line.size() < 3 || line[0] != kEscape || line[1] != '[') {
    return 0;
  }
  const std::size_t most = std::min(line.size(), kLongestEscape);
  std::size_t end = 2;
  while (end < most && is_escape_parameter(line[end])) {
    ++end;
  }
  return end < most && is_alpha(line[end]) ? end + 1 : 0;
}

}  // namespace

std::string_view cut_behind_record(std::string_view line) {
  while (!line.empty()) {
    const std::size_t cut = excess(line);
    if (cut == 0) {
      break;
    }
    line.remove_suffix(cut);
  }
  return line;
}

std::string_view cut_before_record(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  while (!line.empty()) {
    std::size_t cut = 0;
    if (line[0] == ' ' || line[0] == '\t' || line[0] == '\0' || line[0] == '\r') {
      cut = 1;
    } else if (line.starts_with(kByteOrderMark)) {
      cut = kByteOrderMark.size();
    } else {
      cut = escape_at_start(line);
    }
    if (cut == 0) {
      break;
    }
    line.remove_prefix(cut);
  }
  return line;
}

}  // namespace mtrk::maillog
