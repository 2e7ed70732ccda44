#pragma once

#include <string>

namespace mtrk {

// Returns the name of this machine as gethostname(2) reports it, which is also the name that syslog
// writes into its lines. Returns an empty string if the system does not report one.
[[nodiscard]] std::string system_host_name();

}  // namespace mtrk
