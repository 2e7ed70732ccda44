#pragma once

#include <string>

namespace mtrk {

// What this machine calls itself (gethostname), which is what syslog writes into its lines; empty
// if it cannot be told.
[[nodiscard]] std::string system_host_name();

}  // namespace mtrk
