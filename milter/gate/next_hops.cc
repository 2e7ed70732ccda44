#include "milter/gate/next_hops.h"

#include "common/base/ascii.h"
#include "common/net/mail_hosts.h"
#include "common/net/plain_address.h"
#include "common/net/resolver.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

namespace mtrk::gate {
namespace {

namespace ip = boost::asio::ip;

// Returns the addresses at this moment, because they come and go. Returns nothing if the system
// does not list them.
std::optional<std::vector<ip::address>> interface_addresses() {
  std::vector<ip::address> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return std::nullopt;
  }
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) {
      continue;
    }
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, one->ifa_addr, sizeof v4);
      addresses.emplace_back(ip::address_v4(ntohl(v4.sin_addr.s_addr)));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, one->ifa_addr, sizeof v6);
      ip::address_v6::bytes_type octets;
      std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
      addresses.emplace_back(ip::address_v6(octets));
    }
  }
  ::freeifaddrs(list);
  return addresses;
}

std::uint32_t draw(std::uint32_t most) {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_int_distribution<std::uint32_t>(0, most)(generator);
}

net::Awaitable<tl::expected<Places, std::string>> by_name(smtp::GateRoute route,
                                                          net::DnsOptions options) {
  net::DnsResolver resolver({}, std::move(options));
  const auto endpoints = co_await resolver.resolve(route.host, route.port);
  if (!endpoints) {
    co_return tl::make_unexpected("451 4.4.3 " + endpoints.error());
  }
  Places places;
  for (const net::Tcp::endpoint& endpoint : *endpoints) {
    if (places.size() < kMaxPlaces) {
      const std::string address = endpoint.address().to_string();
      places.push_back(
          {address == route.host ? "" : route.host, address, endpoint.port(), route.host});
    }
  }
  co_return places;
}

}  // namespace

bool is_own_address(const ip::address& address,
                    const std::vector<Network>& own,
                    const std::vector<ip::address>& interfaces) {
  const ip::address wanted = net::plain(address);
  return wanted.is_unspecified() || wanted.is_multicast() || (!own.empty() && is_in(own, wanted)) ||
         std::find(interfaces.begin(), interfaces.end(), wanted) != interfaces.end();
}

std::string certificate_name(const std::string& host, const std::string& domain) {
  const bool within = host.size() > domain.size() && host[host.size() - domain.size() - 1] == '.' &&
                      iequals(std::string_view(host).substr(host.size() - domain.size()), domain);
  return within ? host : domain;
}

net::Awaitable<tl::expected<Places, std::string>> find_places(
    std::shared_ptr<const Settings> settings, smtp::GateRoute route, std::string domain) {
  net::DnsOptions options;
  options.servers = settings->outbound.dns;
  if (!route.host.empty()) {
    co_return co_await by_name(std::move(route), std::move(options));
  }
  const std::optional<std::vector<ip::address>> interfaces = interface_addresses();
  if (!interfaces) {
    co_return tl::make_unexpected(
        std::string("451 4.3.0 The addresses of this host cannot be told from others"));
  }
  const net::OwnNames own{settings->hostname, [&](const ip::address& address) {
                            return is_own_address(address, settings->outbound.own, *interfaces);
                          }};
  const net::DnsClient dns(std::move(options));
  const net::RandomNumber random = draw;
  const auto hosts = co_await net::find_mail_hosts(dns, domain, own, random);
  if (!hosts) {
    co_return tl::make_unexpected(hosts.error().code + " " + hosts.error().why);
  }
  Places places;
  for (const net::MailHost& host : *hosts) {
    for (std::size_t i = 0; i < std::min(host.addresses.size(), kMaxOfHost); ++i) {
      if (places.size() < kMaxPlaces) {
        places.push_back({host.name, host.addresses[i].to_string(), settings->outbound.mx_port,
                          certificate_name(host.name, domain)});
      }
    }
  }
  co_return places;
}

}  // namespace mtrk::gate
