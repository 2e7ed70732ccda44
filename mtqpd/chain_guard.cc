#include "mtqpd/chain_guard.h"

#include "common/mtqp/limits.h"
#include "common/net/special_address.h"
#include "mtqpd/address_limiter.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace mtrk::mtqpd {
namespace {

using net::asio::ip::address;

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

// IPv4 inside IPv6 is IPv4.
address plain(const address& any) {
  return any.is_v6() && any.to_v6().is_v4_mapped()
             ? address(net::asio::ip::make_address_v4(net::asio::ip::v4_mapped, any.to_v6()))
             : any;
}

}  // namespace

bool may_connect(const net::Tcp::endpoint& endpoint, const ChainPlaces& places) {
  if (endpoint.port() != mtqp::kPort && endpoint.port() != places.port) {
    return false;
  }
  const address host = plain(endpoint.address());
  if (places.self && places.self->port() == endpoint.port() &&
      plain(places.self->address()) == host) {
    return false;
  }
  const bool own = std::find(places.own.begin(), places.own.end(), host) != places.own.end();
  return (!own && !net::is_special(host)) || is_trusted(host, places.networks);
}

std::vector<address> local_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return {};
  }
  const std::unique_ptr<ifaddrs, FreeInterfaces> owner(list);
  std::vector<address> found;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) {
      continue;
    }
    if (at->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, at->ifa_addr, sizeof v4);
      found.emplace_back(net::asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, at->ifa_addr, sizeof v6);
      net::asio::ip::address_v6::bytes_type octets;
      std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
      found.emplace_back(net::asio::ip::address_v6(octets));
    }
  }
  return found;
}

net::Awaitable<tl::expected<std::vector<net::Endpoints>, std::string>>
GuardedResolver::resolve_targets(std::string host, std::optional<std::uint16_t> port) {
  auto targets = co_await resolver_.resolve_targets(std::move(host), port);
  if (!targets) {
    co_return targets;
  }
  for (net::Endpoints& endpoints : *targets) {
    std::erase_if(endpoints, [this](const net::Tcp::endpoint& endpoint) {
      return !may_connect(endpoint, places_);
    });
  }
  std::erase_if(*targets, [](const net::Endpoints& endpoints) { return endpoints.empty(); });
  if (targets->empty()) {
    co_return tl::make_unexpected(std::string("its addresses or ports may not be asked"));
  }
  co_return targets;
}

net::Awaitable<tl::expected<net::Endpoints, std::string>> GuardedResolver::resolve(
    std::string host, std::optional<std::uint16_t> port) {
  auto targets = co_await resolve_targets(std::move(host), port);
  if (!targets) {
    co_return tl::make_unexpected(std::move(targets.error()));
  }
  net::Endpoints all;
  for (const net::Endpoints& endpoints : *targets) {
    all.insert(all.end(), endpoints.begin(), endpoints.end());
  }
  co_return all;
}

}  // namespace mtrk::mtqpd
