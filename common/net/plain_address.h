#pragma once

#include <boost/asio/ip/address.hpp>

namespace mtrk::net {

// Returns an IPv4 address in its own form, even if it was mapped into IPv6, so that the same host
// always has the same address.
[[nodiscard]] inline boost::asio::ip::address plain(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6()))
             : address;
}

}  // namespace mtrk::net
