#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Says to the server after a proxy who the client is, in one of several ways.
namespace mtrk::smtp {

struct SocketAddress {
  std::string octets;  // 4 or 16, in network order; IPv4 mapped into IPv6 is 4
  std::uint16_t port = 0;
};

struct ClientIdentity {
  SocketAddress client;
  SocketAddress here;   // the address to which the client connected
  std::string address;  // the client's, as text
  // This is the name of the client's address, if a look-up of that name has led back to it (for
  // XCLIENT); else it is empty.
  std::string name;
  // The DNS did not answer, so there is no name, but only for the time being.
  bool name_unknown_for_now = false;
};

// Returns the header of the PROXY protocol, version 2 (haproxy's proxy-protocol.txt §2.2), with the
// command PROXY. Empty if the two addresses are of different families.
[[nodiscard]] std::string format_proxy_header(const SocketAddress& client,
                                              const SocketAddress& here);

// Returns Postfix's XCLIENT command, without CRLF, with as many of NAME, ADDR and PORT as the
// server announces. Returns nothing if it does not announce ADDR.
[[nodiscard]] std::optional<std::string> format_xclient(const ClientIdentity& identity,
                                                        std::string_view announced);

// Returns the value of an attribute of XFORWARD or XCLIENT, decoded from xtext. Returns nothing if
// the attribute is missing or its value is one of the words for "not known". Keywords may be in any
// case.
[[nodiscard]] std::optional<std::string> find_attribute(std::string_view line,
                                                        std::string_view keyword);

}  // namespace mtrk::smtp
