#include "common/track/confidentiality.h"

#include "common/base/ascii.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace mtrk {
namespace {

constexpr std::array<std::string_view, 9> kPrivateDomains{
    ".local", ".localhost", ".localdomain", ".internal", ".intranet",
    ".lan",   ".home.arpa", ".corp",        ".private"};

struct Network4 {
  std::uint32_t prefix, mask;
};
constexpr std::array<Network4, 6> kPrivateNetworks{{{0x0a000000, 0xff000000},    // 10/8
                                                    {0xac100000, 0xfff00000},    // 172.16/12
                                                    {0xc0a80000, 0xffff0000},    // 192.168/16
                                                    {0x7f000000, 0xff000000},    // 127/8
                                                    {0xa9fe0000, 0xffff0000},    // 169.254/16
                                                    {0x64400000, 0xffc00000}}};  // 100.64/10

bool iends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && iequals(text.substr(text.size() - suffix.size()), suffix);
}

bool is_private(const in_addr& address) {
  const std::uint32_t value = ntohl(address.s_addr);
  return std::any_of(kPrivateNetworks.begin(), kPrivateNetworks.end(),
                     [value](const Network4& net) { return (value & net.mask) == net.prefix; });
}

bool is_private(const in6_addr& address) {
  const std::uint8_t first = address.s6_addr[0];
  const std::uint8_t second = address.s6_addr[1];
  if (IN6_IS_ADDR_V4MAPPED(&address) != 0) {
    in_addr mapped{};
    std::copy_n(&address.s6_addr[12], 4, reinterpret_cast<std::uint8_t*>(&mapped.s_addr));
    return is_private(mapped);
  }
  return (first & 0xfe) == 0xfc || (first == 0xfe && (second & 0xc0) == 0x80) ||
         IN6_IS_ADDR_LOOPBACK(&address) != 0;
}

// Accepts an address as "192.0.2.1", "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3) and
// returns it without brackets and tag.
std::string strip_literal(std::string_view name) {
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  if (istarts_with(name, "IPv6:")) {
    name.remove_prefix(5);
  }
  return std::string(name);
}

void hide_remote_mta(RecipientView& recipient) {
  recipient.remote_mta.reset();
  if (recipient.action == Action::transferred) {  // not allowed without its referral
    recipient.action = Action::relayed;
    recipient.status = kRelayedStatus;
  }
}

// Applies (b) of RFC 3886 §4.2. An outcome without an attempt is not changed: the message has not
// left yet, and `delivered` needs the date of an attempt.
void declare_delivered(RecipientView& recipient) {
  constexpr EnhancedStatus kDestinationValid{2, 1, 5};
  if (recipient.action != Action::expanded && recipient.last_attempt) {
    recipient.action = Action::delivered;
    recipient.status = kDestinationValid;
    recipient.remote_mta.reset();
    recipient.will_retry_until.reset();
  }
}

void apply_forwarding(RecipientView& recipient, Confidentiality::Forwarding forwarding) {
  switch (forwarding) {
    case Confidentiality::Forwarding::hide:
      hide_remote_mta(recipient);
      return;
    case Confidentiality::Forwarding::reveal:
      return;
    case Confidentiality::Forwarding::final:
      declare_delivered(recipient);
      return;
  }
}

}  // namespace

void apply_confidentiality(const MessageView& message, const Confidentiality& policy) {
  for (RecipientView& recipient : message.recipients) {
    if (recipient.redirected) {
      apply_forwarding(recipient, policy.forwarding);
    }
    if (policy.hide_hosts && recipient.remote_mta &&
        is_internal_host(recipient.remote_mta->value, message.reporting_mta.value)) {
      hide_remote_mta(recipient);
    }
  }
}

bool is_internal_host(std::string_view host, std::string_view reporting_mta) {
  const std::string name = strip_literal(host);
  in_addr v4{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) {
    return is_private(v4);
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, name.c_str(), &v6) == 1) {
    return is_private(v6);
  }
  if (name.find('.') == std::string::npos) {
    return true;
  }
  if (std::any_of(kPrivateDomains.begin(), kPrivateDomains.end(),
                  [&name](std::string_view suffix) { return iends_with(name, suffix); })) {
    return true;
  }
  const std::size_t dot = reporting_mta.find('.');
  return dot != std::string_view::npos &&
         reporting_mta.find('.', dot + 1) != std::string_view::npos &&
         reporting_mta.front() != '[' && iends_with(name, reporting_mta.substr(dot));
}

}  // namespace mtrk
