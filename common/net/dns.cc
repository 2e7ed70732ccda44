#include "common/net/dns.h"

#include "common/base/ascii.h"
#include "common/mtqp/uri.h"
#include "common/net/dns_channel.h"

#include <boost/asio/this_coro.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace mtrk::net {
namespace {

constexpr int kClassIn = 1;
constexpr int kTypeMx = 15;
constexpr int kTypeSrv = 33;

struct FreeData {
  void operator()(void* data) const { ares_free_data(data); }
};
struct FreeAddrinfo {
  void operator()(ares_addrinfo* info) const { ares_freeaddrinfo(info); }
};

std::string trouble_with(std::string_view name, int status) {
  const bool late = status == ARES_ETIMEOUT || status == ARES_ECANCELLED;
  return "looking up " + escape_for_people(name, 300) + ": " +
         (late ? "no answer in time" : ares_strerror(status));
}

bool says_absent(int status) {
  return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

// Returns whether an empty answer comes from a server that neither holds the zone nor asks others:
// such a server knows nothing.
bool is_referral(int status, const unsigned char* answer, int length) {
  constexpr int kHeader = 12;
  constexpr unsigned kAuthoritative = 0x04;       // in the third octet
  constexpr unsigned kRecursionAvailable = 0x80;  // in the fourth octet
  return status == ARES_ENODATA && answer != nullptr && length >= kHeader &&
         (answer[2] & kAuthoritative) == 0 && (answer[3] & kRecursionAvailable) == 0;
}

// "" is the root and means "not offered". Any other name that is not a host name is ignored.
bool is_target(std::string_view name) {
  return name.empty() || is_host_name(name);
}

std::string without_dot(const char* name) {
  std::string text(name);
  if (!text.empty() && text.back() == '.') {
    text.pop_back();
  }
  return text;
}

std::optional<SrvRecord> convert(const ares_srv_reply& reply) {
  SrvRecord record{reply.priority, reply.weight, reply.port, without_dot(reply.host)};
  return is_target(record.target) ? std::optional(std::move(record)) : std::nullopt;
}

std::optional<MxRecord> convert(const ares_mx_reply& reply) {
  MxRecord record{reply.priority, without_dot(reply.host)};
  return is_target(record.host) ? std::optional(std::move(record)) : std::nullopt;
}

// Makes one query for records of type T, which c-ares parses into a list of Reply.
template <typename T, typename Reply, int (*parse)(const unsigned char*, int, Reply**)>
struct RecordQuery {
  DnsChannel* channel = nullptr;
  std::string name;
  DnsResult<T> result;

  static void done(void* self, int status, int, unsigned char* answer, int length) noexcept {
    auto& query = *static_cast<RecordQuery*>(self);
    Reply* list = nullptr;
    if (status == ARES_SUCCESS) {
      status = parse(answer, length, &list);
    } else if (is_referral(status, answer, length)) {
      status = ARES_ESERVFAIL;
    }
    const std::unique_ptr<Reply, FreeData> owner(list);
    if (status != ARES_SUCCESS && !says_absent(status)) {
      query.result = tl::make_unexpected(trouble_with(query.name, status));
    }
    std::size_t count = 0;
    for (const Reply* at = list; at != nullptr && count < DnsClient::kMaxRecords; at = at->next) {
      ++count;
      if (std::optional<T> record = convert(*at)) {
        query.result->push_back(std::move(*record));
      }
    }
    if (count > 0 && query.result->empty()) {  // this differs from "there are none"
      query.result = tl::make_unexpected(trouble_with(query.name, ARES_EBADRESP));
    }
    query.channel->query_ends();
  }
};

template <typename Query>
Awaitable<decltype(Query::result)> look_up(const DnsOptions& options, std::string name, int type) {
  Query query;
  DnsChannel channel(co_await asio::this_coro::executor, options, DnsChannel::Search::no);
  if (!channel.trouble().empty()) {
    co_return tl::make_unexpected(channel.trouble());
  }
  query.channel = &channel;
  query.name = std::move(name);
  channel.query_begins();
  ares_query(channel.native(), query.name.c_str(), kClassIn, type, Query::done, &query);
  co_await channel.finish(Clock::now() + options.limit);
  co_return std::move(query.result);
}

std::optional<asio::ip::address> to_address(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET && node.ai_addrlen >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, node.ai_addr, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (node.ai_family == AF_INET6 && node.ai_addrlen >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, node.ai_addr, sizeof v6);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes, v6.sin6_scope_id);
  }
  return std::nullopt;
}

// Alternates between the families, beginning with that of the first address, and keeps the order
// within each (RFC 8305 §4).
std::vector<asio::ip::address> in_turn(const std::vector<asio::ip::address>& sorted) {
  std::vector<asio::ip::address> lists[2];
  for (const asio::ip::address& address : sorted) {
    lists[address.is_v6() == sorted.front().is_v6() ? 0 : 1].push_back(address);
  }
  std::vector<asio::ip::address> mixed;
  for (std::size_t i = 0; i < std::max(lists[0].size(), lists[1].size()); ++i) {
    for (const auto& list : lists) {
      if (i < list.size()) {
        mixed.push_back(list[i]);
      }
    }
  }
  return mixed;
}

struct AddressQuery {
  DnsChannel* channel = nullptr;
  std::string name;
  DnsClient::Addresses result;

  static void done(void* self, int status, int, ares_addrinfo* list) noexcept {
    auto& query = *static_cast<AddressQuery*>(self);
    const std::unique_ptr<ares_addrinfo, FreeAddrinfo> owner(list);
    if (status != ARES_SUCCESS && !says_absent(status)) {
      query.result = tl::make_unexpected(trouble_with(query.name, status));
    } else if (list != nullptr) {
      query.take(list->nodes);
    }
    query.channel->query_ends();
  }

  void take(const ares_addrinfo_node* nodes) {
    std::vector<asio::ip::address> found;
    for (const auto* node = nodes; node != nullptr && found.size() < DnsClient::kMaxAddresses;
         node = node->ai_next) {
      const std::optional<asio::ip::address> address = to_address(*node);
      if (address && std::find(found.begin(), found.end(), *address) == found.end()) {
        found.push_back(*address);
      }
    }
    result = in_turn(found);
  }
};

}  // namespace

bool is_host_name(std::string_view name) {
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) {
        return false;
      }
      label = 0;
    } else if (!(is_alnum(c) || c == '-' || c == '_') || ++label > 63) {
      return false;
    }
  }
  return label > 0 && name.size() <= 253;
}

std::string check_dns_servers(const std::string& servers) {
  std::string_view rest = servers;
  while (true) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const Expected<mtqp::HostPort> server = mtqp::parse_host_port(rest.substr(0, end));
    error_code error;
    if (server) {
      static_cast<void>(asio::ip::make_address(server->host, error));
    }
    if (!server || error) {
      return "a DNS server is given as ADDRESS[:PORT]";
    }
    if (end == rest.size()) {
      return "";
    }
    rest.remove_prefix(end + 1);
  }
}

Awaitable<DnsResult<SrvRecord>> DnsClient::srv(std::string name) const {
  using Query = RecordQuery<SrvRecord, ares_srv_reply, ares_parse_srv_reply>;
  co_return co_await look_up<Query>(options_, std::move(name), kTypeSrv);
}

Awaitable<DnsResult<MxRecord>> DnsClient::mx(std::string name) const {
  using Query = RecordQuery<MxRecord, ares_mx_reply, ares_parse_mx_reply>;
  co_return co_await look_up<Query>(options_, std::move(name), kTypeMx);
}

Awaitable<DnsClient::Addresses> DnsClient::addresses(std::string host) const {
  std::vector<std::string> one;
  one.push_back(std::move(host));
  std::vector<Addresses> results = co_await addresses(std::move(one));
  co_return std::move(results.front());
}

Awaitable<std::vector<DnsClient::Addresses>> DnsClient::addresses(
    std::vector<std::string> hosts) const {
  const bool by_people = hosts.size() == 1 && hosts.front().find('.') == std::string::npos;
  std::vector<AddressQuery> queries(hosts.size());  // must outlive the channel
  DnsChannel channel(co_await asio::this_coro::executor, options_,
                     by_people ? DnsChannel::Search::yes : DnsChannel::Search::no);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    AddressQuery& query = queries[i];
    query.channel = &channel;
    query.name = std::move(hosts[i]);
    if (!channel.trouble().empty()) {
      query.result = tl::make_unexpected(channel.trouble());
    } else if (!is_host_name(query.name)) {
      query.result = tl::make_unexpected("not a host name: " + escape_for_people(query.name, 300));
    } else {
      channel.query_begins();
      ares_getaddrinfo(channel.native(), query.name.c_str(), nullptr, &hints, AddressQuery::done,
                       &query);
    }
  }
  co_await channel.finish(Clock::now() + options_.limit);
  std::vector<Addresses> results;
  for (AddressQuery& query : queries) {
    results.push_back(std::move(query.result));
  }
  co_return results;
}

}  // namespace mtrk::net
