#pragma once

#include "common/base/expected.h"
#include "common/config/host_port.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mtrk {

inline constexpr std::size_t kLongestSocketPath = 107;  // the size of sun_path less its NUL

// A NextHop is a value of gate.outbound.nexthop: "mx", "host:port", "lmtp:host:port" or
// "lmtp:unix:/path".
struct NextHop {
  bool by_mx = false;
  bool lmtp = false;
  HostPort at;       // unused with MX or a socket
  std::string path;  // path of a Unix socket; otherwise empty
};
[[nodiscard]] Expected<NextHop> parse_next_hop(std::string_view text);

}  // namespace mtrk
