#include "common/track/field_reader.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  return line;
}

FieldReader::Item FieldReader::next() {
  while (!rest_.empty()) {
    const std::string_view line = take_line(rest_);
    if (trim(line).empty()) {
      return Item::blank_line;
    }
    const std::size_t colon = line.find(':');
    if (is_wsp(line.front()) || colon == std::string_view::npos) {
      continue;
    }
    name_ = trim(line.substr(0, colon));
    if (name_.empty() || !std::all_of(name_.begin(), name_.end(), is_vchar)) {
      continue;
    }
    value_ = line.substr(colon + 1);
    take_continuations();
    value_ = trim(value_);
    return Item::field;
  }
  return Item::end;
}

void FieldReader::take_continuations() {
  bool folded = false;
  while (!rest_.empty() && is_wsp(rest_.front())) {
    std::string_view after = rest_;
    const std::string_view line = take_line(after);
    if (trim(line).empty()) {
      return;  // a line of blanks ends the group, even if it looks like a fold
    }
    rest_ = after;
    if (!folded) {
      joined_ = value_;
      folded = true;
    }
    joined_ += line;
    value_ = joined_;
  }
}

}  // namespace mtrk
