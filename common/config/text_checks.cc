#include "common/config/text_checks.h"

#include "common/base/ascii.h"
#include "common/config/host_port.h"
#include "common/config/network.h"
#include "common/config/next_hop.h"

#include <algorithm>
#include <string_view>

namespace mtrk {

namespace {

bool is_local_host(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[127.0.0.1]" || host == "::1" ||
         host == "[::1]";
}

std::string check_socket_path(std::string_view path) {
  if (!path.starts_with('/')) {
    return "the path of a socket starts with /, not " + in_quotes(path);
  }
  if (path.size() > kLongestSocketPath) {
    return "the path of a socket has at most 107 octets";
  }
  return {};
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return '"' + escape_for_people(text, 80) + '"';
}

std::string check_host_name_or_empty(const std::string& text) {
  return text.empty() || is_host_name(text) ? std::string()
                                            : in_quotes(text) + " is not a host name";
}

std::string check_host_name_or_all(const std::string& text) {
  return text == "*" || is_host_name(text) ? std::string()
                                           : in_quotes(text) + " is not a domain name or \"*\"";
}

std::string check_absolute_path(const std::string& text) {
  return text.starts_with('/')
             ? std::string()
             : in_quotes(text) + " is not an absolute path (one that starts with /)";
}

std::string check_absolute_path_or_empty(const std::string& text) {
  return text.empty() ? std::string() : check_absolute_path(text);
}

std::string check_milter_socket(const std::string& text) {
  const std::string_view view = text;
  const std::size_t colon = view.find(':');
  const std::string_view kind = view.substr(0, colon);
  const std::string_view rest =
      colon == std::string_view::npos ? std::string_view() : view.substr(colon + 1);
  if (kind == "unix" || kind == "local") {
    return check_socket_path(rest);
  }
  if (kind != "inet" && kind != "inet6") {
    return in_quotes(text) +
           " is not a socket: write \"unix:/path\", \"local:/path\", \"inet:PORT@127.0.0.1\" or "
           "\"inet6:PORT@::1\"";
  }
  const std::size_t at = rest.find('@');
  const auto port = parse_number<std::uint16_t>(rest.substr(0, at));
  if (!port || *port == 0) {
    return "the port is a number from 1 to 65535, not " + in_quotes(rest.substr(0, at));
  }
  if (at == std::string_view::npos || !is_local_host(rest.substr(at + 1))) {
    return "only this host may connect: write @localhost, @127.0.0.1 or @::1 after the port";
  }
  return {};
}

std::string check_log_source(const std::string& text) {
  if (text == "auto" || text == "journal") {
    return {};
  }
  for (const std::string_view kind : {"file:", "journal:"}) {
    if (text.starts_with(kind)) {
      return check_absolute_path(text.substr(kind.size()));
    }
  }
  return in_quotes(text) + R"( is not one of "auto", "journal", "journal:/path", "file:/path")";
}

std::string check_account(const std::string& text) {
  const bool word = !text.empty() && text.find_first_of(" \t:/") == std::string::npos;
  return word ? std::string() : in_quotes(text) + " is not the name or number of an account";
}

std::string check_listen_address(const std::string& text) {
  const Expected<HostPort> address = parse_host_port(text);
  return address ? std::string() : address.error().detail;
}

std::string check_network(const std::string& text) {
  const Expected<Network> network = parse_network(text);
  return network ? std::string() : network.error().detail;
}

std::string check_loopback_or_empty(const std::string& text) {
  if (text.empty()) {
    return {};
  }
  const Expected<HostPort> address = parse_host_port(text);
  if (!address) {
    return address.error().detail;
  }
  const bool loopback = address->host == "::1" || (address->host.starts_with("127.") &&
                                                   parse_network(address->host).has_value());
  return loopback ? std::string()
                  : "only this host may connect: write 127.0.0.1:PORT or [::1]:PORT";
}

std::string check_tls_version(const std::string& text) {
  return text == "1.2" || text == "1.3" ? std::string()
                                        : in_quotes(text) + R"( is not "1.2" or "1.3")";
}

std::string check_host_port(const std::string& text) {
  const Expected<HostPort> address = parse_host_port(text);
  if (address && address->port == 0) {
    return "the port is a number from 1 to 65535, not 0";
  }
  return address ? std::string() : address.error().detail;
}

std::string check_filter(const std::string& text) {
  const bool is_path = text.find('/') != std::string::npos;
  const bool is_name = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (is_path || is_name) {
    return {};
  }
  const std::string why = check_host_port(text);
  return why.empty()
             ? why
             : why + R"(; a filter is "host:port", the path of a socket or the name of a )" +
                   "pipe(8) service";
}

std::string check_host_port_or_empty(const std::string& text) {
  return text.empty() ? std::string() : check_host_port(text);
}

std::string check_hops(const std::string& text) {
  return text == "all" || text == "final" ? "" : R"(is "all" or "final")";
}

std::string check_nexthop(const std::string& text) {
  const Expected<NextHop> hop = parse_next_hop(text);
  return hop ? std::string()
             : hop.error().detail + R"(; a next hop is "host:port", "mx", "lmtp:host:port")" +
                   R"( or "lmtp:unix:/path")";
}

std::string check_destination_nexthop(const std::string& text) {
  const Expected<NextHop> hop = parse_next_hop(text);
  if (!hop) {
    return hop.error().detail + R"(; the next hop of a domain is "host:port" or "mx")";
  }
  return hop->lmtp ? "LMTP answers for each recipient, so it needs the whole gate: nexthop of "
                     "[gate.outbound]"
                   : "";
}

std::string check_nexthop_or_empty(const std::string& text) {
  return text.empty() ? std::string() : check_nexthop(text);
}

std::string check_destination(const std::string& text) {
  const std::string_view name = std::string_view(text).substr(text.starts_with('.') ? 1 : 0);
  return is_host_name(name)
             ? std::string()
             : in_quotes(text) + R"( is not a domain, or one with a dot in front for all below it)";
}

std::string check_identify(const std::string& text) {
  const bool known = text == "proxy" || text == "xclient" || text == "none";
  return known ? "" : R"(is "proxy", "xclient" or "none")";
}

std::string check_tls_use(const std::string& text) {
  const bool known = text == "none" || text == "opportunistic" || text == "required";
  return known ? "" : R"(is "none", "opportunistic" or "required")";
}

}  // namespace mtrk
