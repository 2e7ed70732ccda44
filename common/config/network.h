#pragma once

#include "common/base/expected.h"

#include <array>
#include <cstdint>
#include <string_view>

// "192.0.2.0/24", "2001:db8::/32", or an address alone: a range of addresses. IPv4 is kept as it is
// mapped into IPv6 (::ffff:0:0/96), so that a client is the same whatever socket it came by.
namespace mtrk {

struct Network {
  using Address = std::array<std::uint8_t, 16>;  // network order
  Address address{};
  unsigned bits = 128;  // of `address` that count

  [[nodiscard]] bool contains(const Address& other) const;
};

// Fails: no address literal, a length beyond the address, or bits set behind the length (which is
// more often a slip than meant).
[[nodiscard]] Expected<Network> parse_network(std::string_view text);

}  // namespace mtrk
