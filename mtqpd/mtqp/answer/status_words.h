#pragma once

#include "common/track/enhanced_status.h"

#include <string_view>

namespace mtrk::cli {

// What a status code means, in a few words for people (RFC 3463 §3, RFC 3886 §3.3.4). An unknown
// detail reads as its subject, an unknown subject as its class (ESC-2-01).
[[nodiscard]] std::string_view words_for(EnhancedStatus status);

}  // namespace mtrk::cli
