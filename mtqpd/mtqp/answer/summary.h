#pragma once

#include "mtqpd/mtqp/answer/hops.h"

#include <string>
#include <string_view>

namespace mtrk::cli {

// Returns in one or two words how things stand, one for each exit code: "delivered" and "handed
// over" (0, the latter if not every recipient was delivered), "under way", "failed", "no
// information", "network", "tls", "protocol", "loop".
[[nodiscard]] std::string_view state_of(const Travel& travel);

// Returns the line of `mtqp status` without its line end: the state, then the recipient or the
// counts of each action, then what is wrong. It is ASCII, and short whatever a server says.
[[nodiscard]] std::string summary_line(const Travel& travel);

}  // namespace mtrk::cli
