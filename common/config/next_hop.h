#pragma once

#include "common/base/expected.h"
#include "common/config/host_port.h"

#include <string>
#include <string_view>

namespace mtrk {

// gate.outbound.nexthop: "mx", "host:port", "lmtp:host:port" or "lmtp:unix:/path".
struct NextHop {
  bool by_mx = false;
  bool lmtp = false;
  HostPort at;       // unless it is by MX or a socket
  std::string path;  // of a unix socket
};
[[nodiscard]] Expected<NextHop> parse_next_hop(std::string_view text);

}  // namespace mtrk
