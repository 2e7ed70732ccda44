#include "common/track/enhanced_status.h"

#include "common/base/ascii.h"

#include <fmt/compile.h>

namespace mtrk {
namespace {

// Parses 0..999 without leading zeros.
std::optional<std::uint16_t> parse_part(std::string_view text) {
  if (text.size() > 3 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  return parse_number<std::uint16_t>(text);
}

}  // namespace

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  if (text.size() < 5 || text[1] != '.' || (text[0] != '2' && text[0] != '4' && text[0] != '5')) {
    return std::nullopt;
  }
  const std::size_t dot = text.find('.', 2);
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<std::uint16_t> subject = parse_part(text.substr(2, dot - 2));
  const std::optional<std::uint16_t> detail = parse_part(text.substr(dot + 1));
  if (!subject || !detail) {
    return std::nullopt;
  }
  return EnhancedStatus{static_cast<std::uint8_t>(text[0] - '0'), *subject, *detail};
}

std::string format_enhanced_status(EnhancedStatus status) {
  return fmt::format(FMT_COMPILE("{}.{}.{}"), status.status_class, status.subject, status.detail);
}

}  // namespace mtrk
