#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

// A HostPort is a "host:port" of the configuration: "[::]:1038", "127.0.0.1:0",
// "mx.example.test:25". In the text an IPv6 address stands in brackets; `host` does not include
// them. For listeners port 0 means any free port. Nothing is looked up in the DNS.
namespace mtrk {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] Expected<HostPort> parse_host_port(std::string_view text);

// Returns whether `text` consists of labels of letters, digits, hyphens and underscores, and has at
// most 253 octets.
[[nodiscard]] bool is_host_name(std::string_view text);

}  // namespace mtrk
