#include "mtqpd/chain/guard.h"

#include "common/base/unique_fd.h"
#include "common/mtqp/limits.h"
#include "common/net/plain_address.h"
#include "common/net/source_network.h"
#include "common/net/special_address.h"

#include <boost/asio/ip/udp.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace mtrk::mtqpd {

bool may_connect(const net::Tcp::endpoint& endpoint, const ChainPlaces& places) {
  if (endpoint.port() != mtqp::kPort && endpoint.port() != places.port) {
    return false;
  }
  const net::asio::ip::address host = net::plain(endpoint.address());
  if (places.self && places.self->port() == endpoint.port() &&
      net::plain(places.self->address()) == host) {
    return false;
  }
  const bool own = places.is_own != nullptr && places.is_own(host);
  return (!own && !net::is_special(host)) || net::is_trusted(host, places.networks);
}

bool is_local_address(const net::asio::ip::address& host) {
  const net::asio::ip::udp::endpoint endpoint(host, 0);
  const UniqueFd socket(::socket(endpoint.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    return errno != EAFNOSUPPORT;
  }
  return ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 ||
         errno != EADDRNOTAVAIL;
}

net::Awaitable<tl::expected<net::Places, std::string>> GuardedResolver::resolve_targets(
    std::string host, std::optional<std::uint16_t> port) {
  auto targets = co_await resolver_.resolve_targets(std::move(host), port);
  if (!targets) {
    co_return targets;
  }
  for (net::Place& place : *targets) {
    std::erase_if(place.endpoints, [this](const net::Tcp::endpoint& endpoint) {
      return !may_connect(endpoint, places_);
    });
  }
  std::erase_if(*targets, [](const net::Place& place) { return place.endpoints.empty(); });
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
  for (const net::Place& place : *targets) {
    all.insert(all.end(), place.endpoints.begin(), place.endpoints.end());
  }
  co_return all;
}

}  // namespace mtrk::mtqpd
