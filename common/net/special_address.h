#pragma once

#include <boost/asio/ip/address.hpp>

namespace mtrk::net {

// Returns whether an address is one to which a name from outside must not lead: loopback, private,
// link-local, shared, multicast and all other ranges that the IANA special-purpose registries (RFC
// 6890) do not call globally reachable, and those that contain an IPv4 address (NAT64, 6to4,
// Teredo).
[[nodiscard]] bool is_special(const boost::asio::ip::address& address);

}  // namespace mtrk::net
