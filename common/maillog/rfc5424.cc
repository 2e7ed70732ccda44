#include "common/maillog/rfc5424.h"

#include "common/base/ascii.h"
#include "common/base/octets.h"

#include <algorithm>

namespace mtrk::maillog {
namespace {

std::string_view take_field(std::string_view& text) {
  const std::size_t space = octets::find_near(text, ' ');
  const std::string_view field(text.data(), space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return field;
}

// Skips the structured data of RFC 5424 §6.3: "-", or elements "[id name="value" …]". In a value
// a backslash stands before each quotation mark, backslash and closing bracket.
bool skip_structured_data(std::string_view& rest) {
  if (!rest.empty() && rest[0] == '-') {
    rest.remove_prefix(1);
    return true;
  }
  std::size_t i = 0;
  while (i < rest.size() && rest[i] == '[') {
    bool quoted = false;
    for (++i; i < rest.size() && (quoted || rest[i] != ']'); ++i) {
      if (rest[i] == '\\' && quoted) {
        ++i;
      } else if (rest[i] == '"') {
        quoted = !quoted;
      }
    }
    if (i >= rest.size()) {
      return false;
    }
    ++i;
  }
  rest.remove_prefix(i);
  return i > 0;
}

}  // namespace

bool split_rfc5424(std::string_view rest, LogLine& line) {
  if (!take_rfc3339_stamp(rest, line.at)) {
    return false;
  }
  line.dated = true;
  line.host = take_field(rest);
  line.program = take_field(rest);
  line.pid = parse_number<std::uint32_t>(take_field(rest)).value_or(0);
  take_field(rest);  // MSGID
  if (!skip_structured_data(rest)) {
    return false;
  }
  // Postfix writes a second space before its text.
  const std::size_t text = rest.find_first_not_of(' ');
  rest.remove_prefix(text == std::string_view::npos ? rest.size() : text);
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") {
    rest.remove_prefix(3);
  }
  line.text = rest;
  return true;
}

}  // namespace mtrk::maillog
