#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// An EnhancedStatus is a code of RFC 3463: a class of 2, 4 or 5, and a subject and a detail of
// 0..999 without leading zeros.
struct EnhancedStatus {
  std::uint8_t status_class;
  std::uint16_t subject;
  std::uint16_t detail;

  bool operator==(const EnhancedStatus&) const = default;
};

// Parses a code like "5.1.1" with nothing around it. Status fields of reports may also hold
// comments: see tracking_status.h.
[[nodiscard]] std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
[[nodiscard]] std::string format_enhanced_status(EnhancedStatus status);

// RFC 3886 §3.3.4 reserves the status 2.1.9 for `relayed`.
inline constexpr EnhancedStatus kRelayedStatus{2, 1, 9};

}  // namespace mtrk
