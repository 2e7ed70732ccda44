#pragma once

#include "milter/ctl_story.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mtrk {

// For people: what became of one recipient, why we think so, and each line that says so. What comes
// from the log is escaped: no control character of it reaches the terminal.
[[nodiscard]] std::string timeline(const Story& story,
                                   std::size_t recipient,
                                   std::string_view name,
                                   const maillog::TracePolicy& policy);

// Why there is nothing to tell of a queue id.
[[nodiscard]] std::string why_unknown(const Story& story);

}  // namespace mtrk
