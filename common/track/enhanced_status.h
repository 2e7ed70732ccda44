#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mtrk {

// An enhanced status code, RFC 3463: class 2, 4 or 5, subject and detail 0..999, no leading zeros.
struct EnhancedStatus {
  std::uint8_t status_class;
  std::uint16_t subject;
  std::uint16_t detail;

  bool operator==(const EnhancedStatus&) const = default;
};

// "5.1.1" and nothing around it. For report fields see tracking_status.h (comments allowed there).
[[nodiscard]] std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
[[nodiscard]] std::string format_enhanced_status(EnhancedStatus status);

// X.1.9 of RFC 3886 §3.3.4, which belongs to `relayed` alone.
inline constexpr EnhancedStatus kRelayedStatus{2, 1, 9};

}  // namespace mtrk
