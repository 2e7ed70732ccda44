#pragma once

#include <string>
#include <string_view>

// Checks of single configuration strings for the option table: each returns what is wrong, or an
// empty string. None looks at the machine: whether a path exists is for the program to find out.
namespace mtrk {

// What stands in the file, for a message about it: escaped, shortened, in quotes.
[[nodiscard]] std::string in_quotes(std::string_view text);

[[nodiscard]] std::string check_host_name_or_empty(const std::string& text);
[[nodiscard]] std::string check_host_name_or_all(const std::string& text);  // "*" = all
[[nodiscard]] std::string check_absolute_path(const std::string& text);
[[nodiscard]] std::string check_absolute_path_or_empty(const std::string& text);
// libmilter's spelling, on this host only: "unix:/path", "local:/path", "inet:PORT@127.0.0.1",
// "inet6:PORT@::1", or localhost instead of the address.
[[nodiscard]] std::string check_milter_socket(const std::string& text);
[[nodiscard]] std::string check_log_source(const std::string& text);
[[nodiscard]] std::string check_account(const std::string& text);
[[nodiscard]] std::string check_listen_address(const std::string& text);  // port 0 = any
// "192.0.2.0/24", "2001:db8::/32", or an address alone.
[[nodiscard]] std::string check_network(const std::string& text);
[[nodiscard]] std::string check_loopback_or_empty(
    const std::string& text);  // 127.0.0.1:PORT, [::1]:PORT
[[nodiscard]] std::string check_tls_version(const std::string& text);
[[nodiscard]] std::string check_hops(const std::string& text);      // all, final
[[nodiscard]] std::string check_identify(const std::string& text);  // proxy, xclient, none
[[nodiscard]] std::string check_tls_use(const std::string& text);   // none, opportunistic, required
[[nodiscard]] std::string check_nexthop(const std::string& text);   // common/config/next_hop.h
[[nodiscard]] std::string check_nexthop_or_empty(const std::string& text);
[[nodiscard]] std::string check_destination_nexthop(const std::string& text);  // not by LMTP
[[nodiscard]] std::string check_destination(const std::string& text);          // name or ".name"
[[nodiscard]] std::string check_host_port(const std::string& text);            // port not 0
// "host:port", the path of a socket, or the name of a pipe(8) service.
[[nodiscard]] std::string check_filter(const std::string& text);
[[nodiscard]] std::string check_host_port_or_empty(const std::string& text);  // port not 0

}  // namespace mtrk
