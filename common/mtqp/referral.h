#pragma once

#include "common/track/mta_name.h"

#include <optional>
#include <string>

namespace mtrk::mtqp {

// Returns the server that a Remote-MTA or Reporting-MTA names, in a form that can be looked up: a
// host name, or an address without brackets (DSNX-9-02). Returns nothing if the type is not dns or
// the name is not that of a host.
[[nodiscard]] std::optional<std::string> host_of_mta(const MtaName& mta);

}  // namespace mtrk::mtqp
