#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

// "host:port" as the configuration writes it: "[::]:1038", "127.0.0.1:0", "mx.example.test:25". An
// IPv6 address stands in brackets, which `host` here has not. Port 0 = any free port, for
// listeners. Nothing is looked up.
namespace mtrk {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] Expected<HostPort> parse_host_port(std::string_view text);

// Labels of letters, digits, hyphens and underscores, 253 octets at most.
[[nodiscard]] bool is_host_name(std::string_view text);

}  // namespace mtrk
