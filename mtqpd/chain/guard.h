#pragma once

#include "common/config/network.h"
#include "common/net/resolver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::mtqpd {

// Says where a name may lead that a record or the DNS has given, and not a person (THR-X1, THR-X2).
struct ChainPlaces {
  std::vector<Network> networks;  // special addresses (net::is_special()) that may be asked
  std::uint16_t port = 1038;      // allowed besides 1038, where an SRV record names it
  std::optional<net::Tcp::endpoint> self;  // where the client reached us; never allowed
  // Addresses of this host count as special, whatever they are. May be null.
  bool (*is_own)(const net::asio::ip::address&) = nullptr;
};
[[nodiscard]] bool may_connect(const net::Tcp::endpoint& endpoint, const ChainPlaces& places);

// Returns true for an address of this host, that is, one to which a socket can be bound (with
// ip_nonlocal_bind any address can). This needs no netlink, which the service's sandbox does not
// allow. If the system gives no answer, as when there are no descriptors, the address counts as one
// of this host.
[[nodiscard]] bool is_local_address(const net::asio::ip::address& address);

// A GuardedResolver leaves out the endpoints that may not be connected to. Callers connect to
// exactly the endpoints that it returns, without another look-up, so a name that changes its
// address meanwhile gains nothing.
class GuardedResolver final : public net::Resolver {
 public:
  // Both must outlive the GuardedResolver.
  GuardedResolver(net::Resolver& resolver, const ChainPlaces& places)
      : resolver_(resolver), places_(places) {}

  [[nodiscard]] net::Awaitable<tl::expected<net::Endpoints, std::string>> resolve(
      std::string host, std::optional<std::uint16_t> port) override;
  [[nodiscard]] net::Awaitable<tl::expected<net::Places, std::string>> resolve_targets(
      std::string host, std::optional<std::uint16_t> port) override;

 private:
  net::Resolver& resolver_;
  const ChainPlaces& places_;
};

}  // namespace mtrk::mtqpd
