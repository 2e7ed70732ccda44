#pragma once

#include "common/net/asio.h"
#include "common/net/srv_order.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// DnsClient makes look-ups in the DNS with c-ares on Asio's sockets. Its answers are not trusted:
// their counts are bounded, names are checked before use, and time is limited.
namespace mtrk::net {

struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;  // empty: a null MX, the domain accepts no mail (RFC 7505)
};

struct DnsOptions {
  std::string servers;  // "ADDRESS[:PORT][,...]" as check_dns_servers() allows; empty: the system's
  Clock::duration limit = std::chrono::seconds(10);  // for one look-up with all its retries
};
// Returns what is wrong with a list of servers, or an empty string.
[[nodiscard]] std::string check_dns_servers(const std::string& servers);

// A DnsResult holds the records that were found. An empty list means that an authoritative answer
// denies the name or the type at the name. An error means that the answer is unknown at present (no
// answer, SERVFAIL, a malformed answer), and is a sentence for people. The two must not be confused
// (SRV-07).
template <typename T>
using DnsResult = tl::expected<std::vector<T>, std::string>;

// A DnsClient holds no state between look-ups except its options. If a coroutine is cancelled
// during a look-up, it ends with operation_aborted, as with every operation of Asio; no query
// outlives its look-up.
class DnsClient {
 public:
  static constexpr std::size_t kMaxRecords = 64;    // of one answer; further ones are ignored
  static constexpr std::size_t kMaxAddresses = 16;  // of one host

  explicit DnsClient(DnsOptions options = {}) : options_(std::move(options)) {}

  // Return the records at exactly `name`, in no particular order. Records whose target is not a
  // host name are left out.
  [[nodiscard]] Awaitable<DnsResult<SrvRecord>> srv(std::string name) const;
  [[nodiscard]] Awaitable<DnsResult<MxRecord>> mx(std::string name) const;

  // Returns IPv6 and IPv4 addresses in the order to try them: sorted by RFC 6724, then alternating
  // between the families (RFC 8305 §4). /etc/hosts is used. Search domains apply only to names
  // without a dot, so that a name from outside has the same meaning everywhere.
  using Addresses = DnsResult<asio::ip::address>;
  [[nodiscard]] Awaitable<Addresses> addresses(std::string host) const;
  // Looks up all `hosts` at the same time, and returns one result for each, in their order.
  [[nodiscard]] Awaitable<std::vector<Addresses>> addresses(std::vector<std::string> hosts) const;

 private:
  DnsOptions options_;
};

// Returns whether `name` may be looked up or connected to: it consists of labels of letters,
// digits, "-" and "_", separated by dots, and has at most 253 octets.
[[nodiscard]] bool is_host_name(std::string_view name);

}  // namespace mtrk::net
