#pragma once

#include "common/track/enhanced_status.h"

#include <string_view>

namespace mtrk::cli {

// Returns, in a few words for people, what a status code means (RFC 3463 §3, RFC 3886 §3.3.4). An
// unknown detail reads as its subject, and an unknown subject as its class (ESC-2-01).
[[nodiscard]] std::string_view words_for(EnhancedStatus status);

}  // namespace mtrk::cli
