#pragma once

#include "common/config/network.h"
#include "common/net/asio.h"

#include <cstdint>
#include <vector>

// These functions classify the address of a client for limits and trust.
namespace mtrk::net {

// Returns the network to which a limit applies, as one number: an IPv4 address (even if mapped into
// IPv6), or the /64 of an IPv6 address. The two kinds never share a number.
[[nodiscard]] std::uint64_t source_network(const asio::ip::address& address);

// Returns whether one of the networks contains the address.
[[nodiscard]] bool is_trusted(const asio::ip::address& address,
                              const std::vector<Network>& networks);

}  // namespace mtrk::net
