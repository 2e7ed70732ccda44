#pragma once

#include "common/config/network.h"
#include "common/net/resolver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::mtqpd {

// Where a name may lead when a record or the DNS, not a person, has named it (THR-X1, THR-X2).
struct ChainPlaces {
  std::vector<Network> networks;  // special addresses (net::is_special()) that may be asked
  std::uint16_t port = 1038;      // besides 1038, where an SRV record says so
  std::optional<net::Tcp::endpoint> self;  // where the client reached us: never
  // Addresses of this host are special, whatever they are. May be null.
  bool (*is_own)(const net::asio::ip::address&) = nullptr;
};
[[nodiscard]] bool may_connect(const net::Tcp::endpoint& endpoint, const ChainPlaces& places);

// True for an address of this host: it can be bound (any can, where the system is told so by
// ip_nonlocal_bind). That needs no netlink, which the service's sandbox does not have. Where the
// system gives no answer, as when descriptors have run out, it is taken for one.
[[nodiscard]] bool is_local_address(const net::asio::ip::address& address);

// A resolver that leaves out what may not be connected to. What it lets pass is what is connected
// to: nobody looks a name up again in between, so a name that changes its address gains nothing.
class GuardedResolver final : public net::Resolver {
 public:
  // Both have to outlive it.
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
