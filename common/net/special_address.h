#pragma once

#include <boost/asio/ip/address.hpp>

namespace mtrk::net {

// True for what no stranger's name may lead to: loopback, private, link-local, shared, multicast
// and all other ranges that the IANA special-purpose registries (RFC 6890) do not call globally
// reachable, and those that carry an IPv4 address inside (NAT64, 6to4, Teredo).
[[nodiscard]] bool is_special(const boost::asio::ip::address& address);

}  // namespace mtrk::net
