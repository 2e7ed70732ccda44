#pragma once

#include "common/net/asio.h"
#include "common/net/srv_order.h"

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

// Look-ups in the DNS, by c-ares on Asio's sockets. Answers come from strangers: counts are
// bounded, names are checked before they are used for anything, time is limited.
namespace mtrk::net {

struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;  // empty: null MX, no mail is accepted (RFC 7505)
};

struct DnsOptions {
  std::string servers;  // "ADDRESS[:PORT][,...]" as check_dns_servers() allows; empty: the system's
  Clock::duration limit = std::chrono::seconds(10);  // of one look-up with all its retries
};
// What is wrong with a list of servers, or nothing.
[[nodiscard]] std::string check_dns_servers(const std::string& servers);

// A list of what was found. Empty: the name, or the type at it, does not exist, says an
// authoritative answer. An error: nobody knows now (no answer, SERVFAIL, a malformed answer); a
// sentence for people. The two must not be mistaken for each other (SRV-07).
template <typename T>
using DnsResult = tl::expected<std::vector<T>, std::string>;

// Holds no state between look-ups but its options. A coroutine that is cancelled in a look-up ends
// with operation_aborted, as every operation of Asio; no query outlives its look-up.
class DnsClient {
 public:
  static constexpr std::size_t kMaxRecords = 64;    // of one answer; what is over is not used
  static constexpr std::size_t kMaxAddresses = 16;  // of one host

  explicit DnsClient(DnsOptions options = {}) : options_(std::move(options)) {}

  // Records at exactly `name`, in no particular order. A target that is no host name is left out.
  [[nodiscard]] Awaitable<DnsResult<SrvRecord>> srv(std::string name) const;
  [[nodiscard]] Awaitable<DnsResult<MxRecord>> mx(std::string name) const;

  // IPv6 and IPv4 addresses in the order to try them: as RFC 6724 sorts them, then families in turn
  // (RFC 8305 §4). /etc/hosts counts; search domains only for names without a dot, so that a
  // stranger's name means the same everywhere.
  using Addresses = DnsResult<asio::ip::address>;
  [[nodiscard]] Awaitable<Addresses> addresses(std::string host) const;
  // All of `hosts` at the same time; a result for each, in their order.
  [[nodiscard]] Awaitable<std::vector<Addresses>> addresses(std::vector<std::string> hosts) const;

 private:
  DnsOptions options_;
};

// True for what may be looked up or connected to: dot-separated labels of letters, digits, "-" and
// "_", at most 253 octets.
[[nodiscard]] bool is_host_name(std::string_view name);

}  // namespace mtrk::net
