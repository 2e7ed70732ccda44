#pragma once

#include "common/base/codec.h"
#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstdint>
#include <string>
#include <string_view>

// These functions read and write the fields of stored traces that codec.h does not have.
namespace mtrk::maillog {

inline constexpr Seconds kFarthest{std::int64_t{1} << 40};  // sums of such times cannot overflow

inline constexpr LogTime::duration kFarthestLog{std::int64_t{1} << 62};

inline void put_time(std::string& out, TimePoint at) {
  put_u64(out, static_cast<std::uint64_t>(at.time_since_epoch().count()));
}
[[nodiscard]] inline bool get_time(std::string_view& in, TimePoint& at) {
  std::uint64_t count = 0;
  if (!get_u64(in, count)) {
    return false;
  }
  at = TimePoint(Seconds(static_cast<std::int64_t>(count)));
  return at.time_since_epoch() < kFarthest && at.time_since_epoch() > -kFarthest;
}

[[nodiscard]] inline bool get_string(std::string_view& in, std::string& value) {
  std::string_view text;
  if (!get_text(in, text)) {
    return false;
  }
  value = text;
  return true;
}

inline void put_status(std::string& out, EnhancedStatus status) {
  put_u8(out, status.status_class);
  put_u16(out, status.subject);
  put_u16(out, status.detail);
}
[[nodiscard]] inline bool get_status(std::string_view& in, EnhancedStatus& status) {
  return get_u8(in, status.status_class) && get_u16(in, status.subject) &&
         get_u16(in, status.detail);
}

}  // namespace mtrk::maillog
