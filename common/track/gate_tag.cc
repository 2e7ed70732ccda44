#include "common/track/gate_tag.h"

#include "common/base/ascii.h"
#include "common/track/enhanced_status.h"

#include <algorithm>
#include <cstdint>

namespace mtrk {
namespace {

constexpr std::string_view kTag = "mtrk-gate=";
constexpr std::string_view kTransferred = "transferred";
constexpr std::string_view kRelayed = "relayed";
constexpr std::size_t kMaxName = 255;

bool is_name_octet(char c) {
  return is_vchar(c) && c != '[' && c != ']' && c != '/' && c != '(' && c != ')';
}

bool is_name(std::string_view text) {
  return text.size() <= kMaxName && std::all_of(text.begin(), text.end(), is_name_octet);
}

std::string to_name(std::string_view text) {
  std::string name(text.substr(0, kMaxName));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_name_octet(c); }, '?');
  return name;
}

// Returns the length of "2.0.0 " at the front of the text, or 0 if there is no enhanced code.
std::size_t enhanced_code(std::string_view text) {
  const std::size_t blank = text.find(' ');
  const bool is_code =
      blank != std::string_view::npos && parse_enhanced_status(text.substr(0, blank)).has_value();
  return is_code ? blank + 1 : 0;
}

// Removes the text up to and including `end`, and returns the part before `end`. Returns nothing if
// `end` does not occur.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

}  // namespace

std::string GateTag::remote_mta() const {
  if (!host.empty()) {
    return host;
  }
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? "[IPv6:" : "[") + address + "]";
}

std::string format_gate_tag(const GateTag& tag) {
  std::string text(kTag);
  text.append(tag.transferred ? kTransferred : kRelayed).append("/").append(to_name(tag.host));
  return text.append("[").append(to_name(tag.address)).append("]:").append(to_name(tag.port));
}

std::optional<GateTag> find_gate_tag(std::string_view reply) {
  if (reply.size() < 4 || !std::all_of(reply.begin(), reply.begin() + 3, is_digit) ||
      (reply[3] != ' ' && reply[3] != '-')) {
    return std::nullopt;
  }
  return find_gate_tag_in_text(reply.substr(4));
}

std::optional<GateTag> find_gate_tag_in_text(std::string_view text) {
  text.remove_prefix(enhanced_code(text));
  if (text.substr(0, kTag.size()) != kTag) {
    return std::nullopt;
  }
  text = text.substr(kTag.size(), 3 * kMaxName);
  text = text.substr(0, text.find(' '));
  const auto word = take_until(text, "/");
  const auto host = take_until(text, "[");
  const auto address = take_until(text, "]:");
  if (!word || !host || !address || (*word != kTransferred && *word != kRelayed) ||
      !is_name(*host) || !is_name(*address) || address->empty() ||
      !parse_number<std::uint16_t>(text)) {
    return std::nullopt;
  }
  return GateTag{*word == kTransferred, std::string(*host), std::string(*address),
                 std::string(text)};
}

std::string insert_gate_tag(std::string_view text, const GateTag& tag) {
  const std::size_t code = enhanced_code(text);
  std::string result(text.substr(0, code));
  result += format_gate_tag(tag);
  text.remove_prefix(code);
  if (!text.empty()) {
    result += ' ';
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool look_alike = text[at] == '=' && at + 1 >= kTag.size() &&
                            iequals(text.substr(at + 1 - kTag.size(), kTag.size()), kTag);
    result += look_alike ? '?' : text[at];
  }
  return result;
}

}  // namespace mtrk
