#pragma once

#include "common/config/network.h"
#include "common/net/asio.h"

#include <cstdint>
#include <vector>

// Where a client comes from, as far as limits and trust are concerned.
namespace mtrk::net {

// The network a limit is for, as one number: an IPv4 address (also one mapped into IPv6), or the
// /64 of an IPv6 address. The two kinds never meet.
[[nodiscard]] std::uint64_t source_network(const asio::ip::address& address);

// Whether one of the networks contains it.
[[nodiscard]] bool is_trusted(const asio::ip::address& address,
                              const std::vector<Network>& networks);

}  // namespace mtrk::net
