#include "common/config/host_port.h"

#include "common/base/ascii.h"

#include <arpa/inet.h>

#include <algorithm>

namespace mtrk {

namespace {

Unexpected bad_host_port(std::string_view text, std::string_view why) {
  return fail(ErrorCode::syntax, "not a host and port: \"" + escape_for_people(text, 80) +
                                     "\": " + std::string(why) +
                                     " (write it like \"[::]:1038\" or \"127.0.0.1:1038\")");
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) {
    return false;
  }
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) {
        return false;
      }
      label = 0;
    } else if ((is_alnum(c) || c == '-' || c == '_') && label < 63) {
      ++label;
    } else {
      return false;
    }
  }
  return label > 0;
}

Expected<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.back() == ']') {
    return bad_host_port(text, "the port is missing");
  }
  const std::string_view host = text.substr(0, colon);
  const std::optional<std::uint16_t> port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) {
    return bad_host_port(text, "the port is not a number from 0 to 65535");
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    std::string address(host.substr(1, host.size() - 2));
    if (address.find('\0') != std::string::npos || !is_ipv6(address)) {
      return bad_host_port(text, "no IPv6 address between the brackets");
    }
    return HostPort{std::move(address), *port};
  }
  if (host.find(':') != std::string_view::npos) {
    return bad_host_port(text, "an IPv6 address needs brackets");
  }
  std::string name(host);
  const bool numeric =
      std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (numeric ? !is_ipv4(name) : !is_host_name(host)) {
    return bad_host_port(text, host.empty() ? "the host is missing; all addresses are [::]"
                                            : "not an address or host name");
  }
  return HostPort{std::move(name), *port};
}

}  // namespace mtrk
