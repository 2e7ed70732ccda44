#include "common/maillog/relay.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <string>

namespace mtrk::maillog {
namespace {

bool is_ipv6(std::string_view text) {
  return text.find(':') != std::string_view::npos;
}

bool is_ipv4(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
}

// Returns an address literal of RFC 5321 §4.1.3.
std::string literal(std::string_view address) {
  return (is_ipv6(address) ? "[IPv6:" : "[") + std::string(address) + "]";
}

}  // namespace

// Parses "host[address]:port", "host[/socket]", or one word. The host is a name that Postfix looked
// up, so it cannot hold a bracket. A path could, which is why it ends at the last one.
Relay parse_relay(std::string_view relay) {
  Relay result;
  const std::size_t open = relay.find('[');
  const std::size_t close = relay.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    result.host = relay;
    return result;
  }
  result.host = relay.substr(0, open);
  result.address = relay.substr(open + 1, close - open - 1);
  if (close + 1 < relay.size() && relay[close + 1] == ':') {
    result.port = relay.substr(close + 2);
  }
  return result;
}

bool is_loopback_address(std::string_view address) {
  if (istarts_with(address, "IPv6:")) {
    address.remove_prefix(5);
  }
  if (istarts_with(address, "::ffff:")) {
    address.remove_prefix(7);
  }
  return address == "::1" || (address.substr(0, 4) == "127." && is_ipv4(address));
}

bool is_loopback(const Relay& relay) {
  return !relay.port.empty() && is_loopback_address(relay.address);
}

bool is_tcp(const Relay& relay) {
  return !relay.address.empty() && relay.address[0] != '/' && !relay.port.empty();
}

// The path may be relative to the queue directory: "mx.example.test[private/dovecot-lmtp]".
bool is_socket(const Relay& relay) {
  return relay.port.empty() && relay.address.find('/') != std::string_view::npos;
}

std::optional<MtaName> remote_mta(const Relay& relay) {
  if (!is_tcp(relay)) {
    return std::nullopt;
  }
  if (relay.host.empty() || relay.host == "unknown") {
    return MtaName{"dns", literal(relay.address)};
  }
  if (is_ipv6(relay.host) || is_ipv4(relay.host)) {
    return MtaName{"dns", literal(relay.host)};
  }
  return MtaName{"dns", std::string(relay.host)};
}

}  // namespace mtrk::maillog
