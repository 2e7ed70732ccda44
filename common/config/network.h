#pragma once

#include "common/base/expected.h"

#include <array>
#include <cstdint>
#include <string_view>

// A Network is a range of addresses: "192.0.2.0/24", "2001:db8::/32", or a single address. IPv4 is
// kept as mapped into IPv6 (::ffff:0:0/96), so that a client is the same whatever kind of socket it
// uses.
namespace mtrk {

struct Network {
  using Address = std::array<std::uint8_t, 16>;  // network order
  Address address{};
  unsigned bits = 128;  // length of the prefix

  [[nodiscard]] bool contains(const Address& other) const;
};

// Fails if there is no address literal, if the length exceeds that of the address, or if bits after
// the prefix are set, which usually is a mistake.
[[nodiscard]] Expected<Network> parse_network(std::string_view text);

}  // namespace mtrk
