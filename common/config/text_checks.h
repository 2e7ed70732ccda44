#pragma once

#include <string>
#include <string_view>

// These functions check single strings of the configuration for the option table. Each returns what
// is wrong, or an empty string. None looks at the system: whether a path exists is for the program
// to find out.
namespace mtrk {

// Returns a text of the file for use in a message: escaped, shortened and in quotes.
[[nodiscard]] std::string in_quotes(std::string_view text);

[[nodiscard]] std::string check_host_name_or_empty(const std::string& text);
[[nodiscard]] std::string check_host_name_or_all(const std::string& text);  // "*" = all
[[nodiscard]] std::string check_absolute_path(const std::string& text);
[[nodiscard]] std::string check_absolute_path_or_empty(const std::string& text);
// Accepts a socket of this host in the form of libmilter: "unix:/path", "local:/path",
// "inet:PORT@127.0.0.1", "inet6:PORT@::1", or localhost instead of the address.
[[nodiscard]] std::string check_milter_socket(const std::string& text);
[[nodiscard]] std::string check_gate_socket(const std::string& text);  // "unix:/path", or empty
[[nodiscard]] std::string check_log_source(const std::string& text);
[[nodiscard]] std::string check_account(const std::string& text);
[[nodiscard]] std::string check_listen_address(const std::string& text);  // port 0 = any free port
// Accepts "192.0.2.0/24", "2001:db8::/32", or a single address.
[[nodiscard]] std::string check_network(const std::string& text);
// Accepts "127.0.0.1:PORT", "[::1]:PORT", or an empty string.
[[nodiscard]] std::string check_loopback_or_empty(const std::string& text);
[[nodiscard]] std::string check_tls_version(const std::string& text);
[[nodiscard]] std::string check_hops(const std::string& text);      // all, final
[[nodiscard]] std::string check_identify(const std::string& text);  // proxy, xclient, none
[[nodiscard]] std::string check_tls_use(const std::string& text);   // none, opportunistic, required
[[nodiscard]] std::string check_nexthop(const std::string& text);   // see common/config/next_hop.h
[[nodiscard]] std::string check_nexthop_or_empty(const std::string& text);
[[nodiscard]] std::string check_destination_nexthop(const std::string& text);  // without LMTP
[[nodiscard]] std::string check_destination(const std::string& text);          // "name" or ".name"
[[nodiscard]] std::string check_host_port(const std::string& text);            // port not 0
// Accepts "host:port", the path of a socket, or the name of a pipe(8) service.
[[nodiscard]] std::string check_filter(const std::string& text);
[[nodiscard]] std::string check_host_port_or_empty(const std::string& text);  // port not 0

}  // namespace mtrk
