#pragma once

#include "common/base/expected.h"
#include "common/config/host_port.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mtrk {

inline constexpr std::size_t kLongestSocketPath = 107;  // sun_path less its NUL

// gate.outbound.nexthop: "mx", "host:port", "lmtp:host:port" or "lmtp:unix:/path".
struct NextHop {
  bool by_mx = false;
  bool lmtp = false;
  HostPort at;       // unless it is by MX or a socket
  std::string path;  // of a unix socket
};
[[nodiscard]] Expected<NextHop> parse_next_hop(std::string_view text);

}  // namespace mtrk
