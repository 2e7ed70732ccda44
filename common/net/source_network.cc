#include "common/net/source_network.h"

#include <algorithm>
#include <cstddef>

namespace mtrk::net {
namespace {

using Ip = asio::ip::address;
using IpV6 = asio::ip::address_v6;

IpV6 as_v6(const Ip& address) {
  return address.is_v6() ? address.to_v6()
                         : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4());
}

}  // namespace

std::uint64_t source_network(const Ip& address) {
  const IpV6 v6 = as_v6(address);
  const IpV6::bytes_type octets = v6.to_bytes();
  const std::size_t begin = v6.is_v4_mapped() ? 12 : 0;
  const std::size_t end = v6.is_v4_mapped() ? 16 : 8;
  // The upper half is zero for IPv4. It is also zero for ::/64, but only ::1 is in use there.
  std::uint64_t network = 0;
  for (std::size_t i = begin; i < end; ++i) {
    network = network << 8 | octets[i];
  }
  return network;
}

bool is_trusted(const Ip& address, const std::vector<Network>& networks) {
  if (networks.empty()) {
    return false;
  }
  const Network::Address octets = as_v6(address).to_bytes();
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(octets); });
}

}  // namespace mtrk::net
