#include "common/net/special_address.h"

#include "common/config/network.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace mtrk::net {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kSpecial[] = {
    "0.0.0.0/8",       // this network
    "10.0.0.0/8",      // private
    "100.64.0.0/10",   // shared
    "127.0.0.0/8",     // loopback
    "169.254.0.0/16",  // link-local
    "172.16.0.0/12",   // private
    "192.0.0.0/24",    // protocol assignments
    "192.0.2.0/24",    // documentation
    "192.88.99.0/24",  // 6to4 relays
    "192.168.0.0/16",  // private
    "198.18.0.0/15",   // benchmarks
    "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4",  // multicast
    "240.0.0.0/4",  // reserved, broadcast
    "::/96",        // unspecified, loopback, IPv4-compatible
    "64:ff9b::/96",
    "64:ff9b:1::/48",  // NAT64
    "100::/64",        // discard
    "2001::/23",       // protocol assignments, Teredo
    "2001:db8::/32",
    "2002::/16",  // 6to4
    "3fff::/20",  // documentation
    "5f00::/16",  // segment routing
    "fc00::/7",   // unique local
    "fe80::/10",  // link-local
    "fec0::/10",  // site-local
    "ff00::/8",   // multicast
};

const std::vector<Network>& special_networks() {
  static const std::vector<Network> kNetworks = [] {
    std::vector<Network> networks;
    for (const std::string_view text : kSpecial) {
      networks.push_back(parse_network(text).value());
    }
    return networks;
  }();
  return kNetworks;
}

// Returns the octets of an address; IPv4 is mapped into IPv6.
Network::Address octets_of(const asio::ip::address& address) {
  return address.is_v6()
             ? address.to_v6().to_bytes()
             : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
}

}  // namespace

bool is_special(const boost::asio::ip::address& address) {
  const Network::Address octets = octets_of(address);
  return std::any_of(special_networks().begin(), special_networks().end(),
                     [&](const Network& network) { return network.contains(octets); });
}

}  // namespace mtrk::net
