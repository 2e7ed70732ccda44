#include "common/net/resolver.h"

#include "common/base/ascii.h"
#include "common/mtqp/limits.h"

#include <algorithm>
#include <random>
#include <utility>

namespace mtrk::net {
namespace {

template <typename T>
using Result = tl::expected<T, std::string>;

std::uint32_t draw(std::uint32_t most) {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_int_distribution<std::uint32_t>(0, most)(generator);
}

// Returns the name as it appears in the sentence that tells people why nothing was found.
std::string shown(std::string_view name) {
  return escape_for_people(name, 253);
}

}  // namespace

Awaitable<Result<Places>> Resolver::resolve_targets(std::string host,
                                                    std::optional<std::uint16_t> port) {
  Result<Endpoints> endpoints = co_await resolve(host, port);
  if (!endpoints) {
    co_return tl::make_unexpected(std::move(endpoints.error()));
  }
  Places one;
  one.push_back({std::move(host), std::move(*endpoints)});
  co_return one;
}

DnsResolver::DnsResolver(FixedNames fixed, DnsOptions dns)
    : DnsResolver(std::move(fixed), std::move(dns), draw) {}

DnsResolver::DnsResolver(FixedNames fixed, DnsOptions dns, RandomNumber random)
    : fixed_(std::move(fixed)), dns_(std::move(dns)), random_(std::move(random)) {}

std::optional<Target> DnsResolver::without_dns(const std::string& host,
                                               std::optional<std::uint16_t> port) const {
  Target target{host, port.value_or(mtqp::kPort), {}, {}, {}};
  if (const auto fixed = fixed_.find(to_lower(host)); fixed != fixed_.end()) {
    target.addresses.push_back(fixed->second.address);
    target.port = fixed->second.port.value_or(target.port);
    return target;
  }
  error_code no_address;
  const asio::ip::address literal = asio::ip::make_address(host, no_address);
  if (no_address) {
    return std::nullopt;
  }
  target.addresses.push_back(literal);
  return target;
}

// Returns the SRV records in the order to try them. A name without a dot has none: it has a meaning
// in this network only, most often by /etc/hosts.
Awaitable<Result<std::vector<SrvRecord>>> DnsResolver::service_of(const std::string& host) const {
  if (host.find('.') == std::string::npos) {
    co_return std::vector<SrvRecord>();
  }
  Result<std::vector<SrvRecord>> records = co_await dns_.srv("_mtqp._tcp." + host);
  if (!records) {
    co_return records;
  }
  const bool refused = std::any_of(records->begin(), records->end(), [](const SrvRecord& record) {
    return record.target.empty();
  });  // SRV-01
  if (refused && records->size() == 1) {
    co_return tl::make_unexpected(shown(host) + " does not offer tracking, says its SRV record");
  }
  std::erase_if(*records,
                [](const SrvRecord& record) { return record.target.empty() || record.port == 0; });
  if (refused && records->empty()) {
    co_return tl::make_unexpected(shown(host) + ": its SRV records lead nowhere");
  }
  order_srv(*records, random_);
  if (records->size() > kMaxTargets) {
    records->resize(kMaxTargets);
  }
  co_return records;
}

Awaitable<Result<Discovery>> DnsResolver::discover(std::string host,
                                                   std::optional<std::uint16_t> port) {
  if (!host.empty() && host.back() == '.') {
    host.pop_back();
  }
  Discovery found;
  if (std::optional<Target> known = without_dns(host, port)) {
    found.targets.push_back(std::move(*known));
    co_return found;
  }
  if (!is_host_name(host)) {
    co_return tl::make_unexpected("not a host name: " + shown(host));
  }
  if (!port) {
    Result<std::vector<SrvRecord>> records = co_await service_of(host);
    // This is not "there are none", so address records must not be used instead (SRV-07).
    if (!records) {
      co_return tl::make_unexpected(std::move(records.error()));
    }
    for (SrvRecord& record : *records) {
      found.srv = true;
      Target target{record.target, record.port, {}, {}, {}};
      target.srv = std::move(record);
      found.targets.push_back(std::move(target));
    }
  }
  if (!found.srv) {
    found.targets.push_back({std::move(host), port.value_or(mtqp::kPort), {}, {}, {}});
  }
  std::vector<std::string> names;
  std::vector<Target*> wanted;
  for (Target& target : found.targets) {
    if (std::optional<Target> known = without_dns(target.host, target.port)) {
      target.addresses = std::move(known->addresses);
      target.port = known->port;
    } else {
      names.push_back(target.host);
      wanted.push_back(&target);
    }
  }
  if (names.empty()) {
    co_return found;
  }
  std::vector<DnsClient::Addresses> results = co_await dns_.addresses(std::move(names));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!results[i]) {
      wanted[i]->trouble = std::move(results[i].error());
    } else if (results[i]->empty()) {
      wanted[i]->trouble = shown(wanted[i]->host) + " has no address";
    } else {
      wanted[i]->addresses = std::move(*results[i]);
    }
  }
  co_return found;
}

Awaitable<Result<Places>> DnsResolver::resolve_targets(std::string host,
                                                       std::optional<std::uint16_t> port) {
  Result<Discovery> found = co_await discover(std::move(host), port);
  if (!found) {
    co_return tl::make_unexpected(std::move(found.error()));
  }
  Places places;
  for (Target& target : found->targets) {
    Endpoints endpoints;
    for (const asio::ip::address& address : target.addresses) {
      endpoints.emplace_back(address, target.port);
    }
    if (!endpoints.empty()) {
      places.push_back({std::move(target.host), std::move(endpoints)});
    }
  }
  if (places.empty()) {
    co_return tl::make_unexpected(found->targets.front().trouble);
  }
  co_return places;
}

Awaitable<Result<Endpoints>> DnsResolver::resolve(std::string host,
                                                  std::optional<std::uint16_t> port) {
  Result<Places> places = co_await resolve_targets(std::move(host), port);
  if (!places) {
    co_return tl::make_unexpected(std::move(places.error()));
  }
  Endpoints all;
  for (const Place& place : *places) {
    all.insert(all.end(), place.endpoints.begin(), place.endpoints.end());
  }
  co_return all;
}

}  // namespace mtrk::net
