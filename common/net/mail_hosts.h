#pragma once

#include "common/net/dns.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// find_mail_hosts() finds the hosts that accept mail for a domain: those of the MX records, or what
// stands in for them (RFC 5321 §5, RFC 7505).
namespace mtrk::net {

struct MailHost {
  std::uint16_t preference = 0;
  std::string name;  // empty for an address literal
  std::vector<asio::ip::address> addresses;
};

// Says why there is no host, in the form that a reply to RCPT needs.
struct NoMailHost {
  // This is a code like "451 4.4.3" or "556 5.1.10"; its first digit says whether it is permanent.
  std::string code;
  std::string why;  // a text for people
};

// OwnNames describes this mail system, so that it does not hand mail for others to itself.
struct OwnNames {
  std::string name;  // in any case
  std::function<bool(const asio::ip::address&)> has_address;
};

// Sorts the records into the order to try them: the lowest preference first, and records of the
// same preference shuffled. Pure except for `random`.
void order_mx(std::vector<MxRecord>& records, const RandomNumber& random);

// Removes this host, and all hosts that are not preferred to it, from hosts in the order of
// order_mx() (RFC 5321 §5.1): they would return the mail to us. Pure.
void drop_own(std::vector<MailHost>& hosts, const OwnNames& own);

// The addresses of at most this many hosts are looked up.
inline constexpr std::size_t kMaxMailHosts = 10;

// Returns the hosts for `domain`, which may be any text. Each has at least one address. The result
// is:
//   "[192.0.2.1]", "[IPv6:2001:db8::1]"  that address
//   no MX records                        the domain itself
//   null MX (RFC 7505)                   556 5.1.10
//   no domain; no MX and no address      550 5.1.2
//   no MX with an address                550 5.4.4
//   only this host is left               554 5.4.6
//   the DNS gives no answer now          451 4.4.3
[[nodiscard]] Awaitable<tl::expected<std::vector<MailHost>, NoMailHost>> find_mail_hosts(
    const DnsClient& dns, std::string domain, const OwnNames& own, const RandomNumber& random);

}  // namespace mtrk::net
