#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// How a proxy tells the server behind it who the client is.
namespace mtrk::smtp {

struct SocketAddress {
  std::string octets;  // 4 or 16, network order; IPv4 mapped into IPv6 is given as 4
  std::uint16_t port = 0;
};

struct ClientIdentity {
  SocketAddress client;
  SocketAddress here;   // the address the client connected to
  std::string address;  // of the client, as text
  // Of the client's address, proven by a look-up of the name (for XCLIENT); else empty.
  std::string name;
  bool name_unknown_for_now = false;  // DNS did not answer: as good as no name, but for a while
};

// The header of the PROXY protocol, version 2 (haproxy's proxy-protocol.txt §2.2), command PROXY.
// Empty if the two addresses are of different families.
[[nodiscard]] std::string format_proxy_header(const SocketAddress& client,
                                              const SocketAddress& here);

// Postfix's XCLIENT with as many of NAME ADDR PORT as the server announces; nothing if it does not
// announce ADDR. Without CRLF.
[[nodiscard]] std::optional<std::string> format_xclient(const ClientIdentity& identity,
                                                        std::string_view announced);

// The value of an attribute of XFORWARD or XCLIENT, decoded from xtext; nothing if it is not there
// or is one of the words for "not known". Keywords in any case.
[[nodiscard]] std::optional<std::string> find_attribute(std::string_view line,
                                                        std::string_view keyword);

}  // namespace mtrk::smtp
