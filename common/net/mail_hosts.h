#pragma once

#include "common/net/dns.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Where mail for a domain goes: MX records and what stands in for them, RFC 5321 §5, RFC 7505.
namespace mtrk::net {

struct MailHost {
  std::uint16_t preference = 0;
  std::string name;  // empty: an address literal
  std::vector<asio::ip::address> addresses;
};

// Why there is none, as far as a reply to RCPT tells it.
struct NoMailHost {
  std::string code;  // "451 4.4.3", "556 5.1.10"; by its first digit for now or for ever
  std::string why;   // for people
};

// This mail system: mail for others is not handed to itself.
struct OwnNames {
  std::string name;  // any case
  std::function<bool(const asio::ip::address&)> has_address;
};

// Records in the order to try them: the lowest preference first, those with the same one shuffled.
// Pure but for `random`.
void order_mx(std::vector<MxRecord>& records, const RandomNumber& random);

// Hosts as order_mx() orders them, without this host and all that are not preferred to it (RFC 5321
// §5.1): they would hand the mail back to us. Pure.
void drop_own(std::vector<MailHost>& hosts, const OwnNames& own);

inline constexpr std::size_t kMaxMailHosts = 10;  // whose addresses are looked up

// The hosts for `domain`, which may be anything, with an address at least each:
//   "[192.0.2.1]", "[IPv6:2001:db8::1]"  that address
//   no MX records                        the domain itself
//   null MX (RFC 7505)                   556 5.1.10
//   no domain; no MX and no address      550 5.1.2
//   no MX with an address                550 5.4.4
//   only this host is left               554 5.4.6
//   nobody knows now                     451 4.4.3
[[nodiscard]] Awaitable<tl::expected<std::vector<MailHost>, NoMailHost>> find_mail_hosts(
    const DnsClient& dns, std::string domain, const OwnNames& own, const RandomNumber& random);

}  // namespace mtrk::net
