#pragma once

#include "common/track/mta_name.h"

#include <optional>
#include <string>

namespace mtrk::mtqp {

// The server that a Remote-MTA or Reporting-MTA names, as it may be looked up: a host name, or an
// address without brackets (DSNX-9-02). Nothing for other types than dns and for what is no host.
[[nodiscard]] std::optional<std::string> host_of_mta(const MtaName& mta);

}  // namespace mtrk::mtqp
