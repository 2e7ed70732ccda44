#pragma once

#include "common/track/mta_name.h"

#include <optional>
#include <string_view>

// A Relay is the relay= field of a Postfix delivery line, split into its parts.
namespace mtrk::maillog {

struct Relay {
  std::string_view host;     // "mx1.partner.example.net"; "local", "none", a pipe service
  std::string_view address;  // "192.0.2.25", "2001:db8::25"; a socket path for LMTP; empty if none
  std::string_view port;     // "25"; empty if none
};
[[nodiscard]] Relay parse_relay(std::string_view relay);

[[nodiscard]] bool is_loopback_address(std::string_view address);  // 127.0.0.0/8 or ::1
[[nodiscard]] bool is_loopback(const Relay& relay);                // the same over TCP
[[nodiscard]] bool is_tcp(const Relay& relay);                     // another host: SMTP or LMTP
[[nodiscard]] bool is_socket(const Relay& relay);                  // LMTP over a unix socket

// Returns the Remote-MTA for a TCP relay. Its type is dns; its name is that of the host, or the
// bracketed address if the host is itself an address ("[127.0.0.1]"). Returns nothing for "none",
// local agents and sockets.
[[nodiscard]] std::optional<MtaName> remote_mta(const Relay& relay);

}  // namespace mtrk::maillog
