#include "common/track/report_field.h"

#include "common/base/ascii.h"
#include "common/track/atom.h"
#include "common/track/utf8_address.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mtrk {
namespace {

// Each label includes the ": " between name and value, so that writing a field takes few appends.
constexpr std::array<std::string_view, 10> kLabels{
    "Original-Envelope-Id: ", "Reporting-MTA: ",   "Arrival-Date: ", "Original-Recipient: ",
    "Final-Recipient: ",      "Action: ",          "Status: ",       "Remote-MTA: ",
    "Last-Attempt-Date: ",    "Will-Retry-Until: "};

constexpr std::string_view name_of(std::string_view label) {
  return label.substr(0, label.size() - 2);
}

constexpr std::string_view kTruncated = "[truncated]";
constexpr std::size_t kMaxType = 64;
constexpr std::size_t kMaxEscape = sizeof("\\x{10FFFF}") - 1;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 6533 defines an ASCII form for the addresses of these types.
bool is_mailbox_type(std::string_view type) {
  return iequals(type, "rfc822") || iequals(type, "utf-8");
}

// Returns where to cut `text` without splitting a \x{HEX}.
std::size_t cut_before(std::string_view text, std::size_t limit) {
  const std::string_view end = text.substr(limit - kMaxEscape, kMaxEscape);
  const std::size_t backslash = end.rfind('\\');
  const bool inside =
      backslash != std::string_view::npos && end.find('}', backslash) == std::string_view::npos;
  return inside ? limit - kMaxEscape + backslash : limit;
}

// Returns the type and the value as printable ASCII, at most kMaxFieldValue octets.
std::string sanitised(std::string_view type, std::string_view value) {
  std::string text(type);
  if (!type.empty()) {
    text += "; ";
  }
  // One octet more shows whether the value is longer.
  const std::size_t room = kMaxFieldValue + 1 - text.size();
  for (const char c : value.substr(0, room)) {
    text += is_printable(c) ? c : '?';
  }
  if (text.size() > kMaxFieldValue) {
    text.resize(cut_before(text, kMaxFieldValue - kTruncated.size()));
    text += kTruncated;
  }
  return text;
}

// Folds at the last blank that keeps the line within its limit. If there is none, the fold is
// inside the word, and the reader sees an additional blank there. Trailing blanks are removed, so
// that no line can consist of blanks only, which some readers take for the end of a group.
void append_folded(std::string& out, std::string_view line) {
  line = line.substr(0, line.find_last_not_of(' ') + 1);
  const std::size_t name = line.find(':') + 1;
  std::size_t least = name + 1;  // the blank after the name must not become a fold
  while (line.size() > kMaxFieldLine) {
    const std::size_t blank = line.rfind(' ', kMaxFieldLine);
    const bool at_blank = blank != std::string_view::npos && blank >= least;
    const std::size_t cut = at_blank ? blank : kMaxFieldLine;
    out.append(line.substr(0, cut)).append("\r\n");
    line.remove_prefix(cut);
    if (!at_blank) {
      out += ' ';
    }
    least = 1;
  }
  out.append(line).append("\r\n");
}

// A FieldLine assembles a line that needs no fold in place, so that it takes one append to the
// output instead of one per piece.
class FieldLine {
 public:
  void put(std::string_view text) {
    std::memcpy(text_.data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxFieldLine + 2> text_;
  std::size_t size_ = 0;
};

void append_field(std::string& out, FieldName name, std::string_view type, std::string_view value) {
  const std::string_view label = kLabels[static_cast<std::size_t>(name)];
  const std::size_t length = label.size() + type.size() + 2 + value.size();
  if (length <= kMaxFieldLine && all_printable(value)) {
    FieldLine line;
    line.put(label);
    if (!type.empty()) {
      line.put(type);
      line.put("; ");
    }
    line.put(value);
    line.put("\r\n");
    out.append(line.view());
    return;
  }
  append_folded(out, std::string(label).append(sanitised(type, value)));
}

}  // namespace

std::string_view to_string(FieldName name) {
  return name_of(kLabels[static_cast<std::size_t>(name)]);
}

std::optional<FieldName> find_field(std::string_view name) {
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    if (iequals(name, name_of(kLabels[i]))) {
      return static_cast<FieldName>(i);
    }
  }
  return std::nullopt;
}

void put_field(std::string& out, FieldName name, std::string_view value) {
  append_field(out, name, {}, value);
}

void put_field(std::string& out, FieldName name, const TypedView& value) {
  const bool usable = value.type.size() <= kMaxType && is_atom(value.type);
  append_field(out, name, usable ? value.type : "unknown", value.value);
}

void put_date(std::string& out, FieldName name, TimePoint at, Minutes utc_offset) {
  out.append(kLabels[static_cast<std::size_t>(name)]);
  append_rfc5322_date(out, at, utc_offset);
  out.append("\r\n");
}

void put_address(std::string& out, FieldName name, const TypedView& address) {
  const bool plain = all_printable(address.value) || is_ascii(address.value);
  if (plain || !is_mailbox_type(address.type)) {  // ASCII of type utf-8 already has its escapes
    put_field(out, name, address);
    return;
  }
  put_field(out, name, TypedView{"utf-8", encode_utf8_address(address.value, kMaxFieldValue)});
}

}  // namespace mtrk
