#include "common/net/mail_hosts.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mtrk::net {
namespace {

using Hosts = std::vector<MailHost>;
using Found = tl::expected<Hosts, NoMailHost>;

std::string shown(std::string_view name) {
  return escape_for_people(name, 253);
}

tl::unexpected<NoMailHost> none(const char* code, std::string why) {
  return tl::make_unexpected(NoMailHost{code, std::move(why)});
}

// No top-level domain is a number: such a name is an address in the place of a name.
bool ends_in_number(std::string_view name) {
  const std::string_view label = name.substr(name.rfind('.') + 1);
  return std::all_of(label.begin(), label.end(), is_digit);
}

bool is_mail_domain(std::string_view name) {
  return is_host_name(name) && !ends_in_number(name);
}

// Parses an address literal of RFC 5321 §4.1.3.
std::optional<asio::ip::address> parse_literal(std::string_view domain) {
  std::string_view text = domain.substr(1, domain.size() - 2);
  const bool v6 = istarts_with(text, "IPv6:");
  text.remove_prefix(v6 ? 5 : 0);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string(text), error);
  const bool scoped = text.find('%') != std::string_view::npos;
  return error || scoped || address.is_v6() != v6 ? std::nullopt : std::optional(address);
}

Found literal_host(const std::string& domain, const OwnNames& own) {
  const std::optional<asio::ip::address> address = parse_literal(domain);
  if (!address) {
    return none("550 5.1.2", shown(domain) + " is no address");
  }
  if (own.has_address(*address)) {
    return none("554 5.4.6", shown(domain) + " is this host");
  }
  return Hosts{{0, "", {*address}}};
}

// Returns the hosts of the MX records in the order to try them, or the domain itself if there are
// none.
Awaitable<Found> exchangers(const DnsClient& dns,
                            const std::string& domain,
                            const RandomNumber& random) {
  DnsResult<MxRecord> records = co_await dns.mx(domain);
  if (!records) {
    co_return none("451 4.4.3", std::move(records.error()));
  }
  if (records->size() == 1 && records->front().host.empty()) {
    co_return none("556 5.1.10", shown(domain) + " takes no mail, says its MX record");
  }
  const bool implicit = records->empty();
  std::erase_if(*records, [](const MxRecord& record) { return !is_mail_domain(record.host); });
  if (implicit) {
    records->push_back({0, domain});
  } else if (records->empty()) {
    co_return none("550 5.4.4", "no MX record of " + shown(domain) + " names a host");
  }
  order_mx(*records, random);
  Hosts hosts;
  for (MxRecord& record : *records) {
    hosts.push_back({record.preference, std::move(record.host), {}});
  }
  co_return hosts;
}

bool is_own(const MailHost& host, const OwnNames& own) {
  return iequals(host.name, own.name) ||
         std::any_of(host.addresses.begin(), host.addresses.end(), own.has_address);
}

}  // namespace

void order_mx(std::vector<MxRecord>& records, const RandomNumber& random) {
  for (std::size_t left = records.size(); left > 1; --left) {
    std::swap(records[left - 1], records[random(static_cast<std::uint32_t>(left - 1))]);
  }
  std::stable_sort(records.begin(), records.end(), [](const MxRecord& a, const MxRecord& b) {
    return a.preference < b.preference;
  });
}

void drop_own(Hosts& hosts, const OwnNames& own) {
  std::optional<std::uint16_t> best;  // the preference of this host
  for (const MailHost& host : hosts) {
    if (is_own(host, own) && (!best || host.preference < *best)) {
      best = host.preference;
    }
  }
  if (best) {
    std::erase_if(hosts, [&](const MailHost& host) { return host.preference >= *best; });
  }
}

Awaitable<Found> find_mail_hosts(const DnsClient& dns,
                                 std::string domain,
                                 const OwnNames& own,
                                 const RandomNumber& random) {
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    co_return literal_host(domain, own);
  }
  if (!is_mail_domain(domain)) {
    co_return none("550 5.1.2", shown(domain) + " is no domain");
  }
  Found hosts = co_await exchangers(dns, domain, random);
  if (!hosts) {
    co_return hosts;
  }
  drop_own(*hosts, {own.name, [](const asio::ip::address&) { return false; }});  // saves look-ups
  hosts->resize(std::min(hosts->size(), kMaxMailHosts));
  std::vector<std::string> names;
  for (const MailHost& host : *hosts) {
    names.push_back(host.name);
  }
  std::string trouble;
  if (!names.empty()) {
    std::vector<DnsClient::Addresses> results = co_await dns.addresses(std::move(names));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i]) {
        (*hosts)[i].addresses = std::move(*results[i]);
      } else {
        trouble = std::move(results[i].error());
      }
    }
  }
  drop_own(*hosts, own);
  if (hosts->empty()) {
    co_return none("554 5.4.6", "mail for " + shown(domain) + " would come back to this host");
  }
  const bool implicit = iequals(hosts->front().name, domain);
  std::erase_if(*hosts, [](const MailHost& host) { return host.addresses.empty(); });
  if (!hosts->empty()) {
    co_return hosts;
  }
  if (!trouble.empty()) {
    co_return none("451 4.4.3", std::move(trouble));
  }
  co_return implicit ? none("550 5.1.2", shown(domain) + " has neither MX nor address")
                     : none("550 5.4.4", "no MX of " + shown(domain) + " has an address");
}

}  // namespace mtrk::net
