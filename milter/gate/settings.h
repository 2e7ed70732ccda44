#pragma once

#include "common/config/config.h"
#include "common/config/host_port.h"
#include "common/config/network.h"
#include "common/config/next_hop.h"
#include "common/net/asio.h"
#include "common/net/tls.h"
#include "milter/gate/session/inbound.h"
#include "milter/gate/session/routes.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::gate {

// How long a session may stand still. A parameter only so that tests need not wait.
struct Deadlines {
  std::chrono::milliseconds connect{30'000};  // each address of the server behind
  std::chrono::milliseconds handshake{30'000};
  std::chrono::milliseconds idle{600'000};   // more than any mail system waits (RFC 5321 §4.5.3.2)
  std::chrono::milliseconds closing{5'000};  // until the client has seen our last word
  std::chrono::milliseconds sweep{1'000};    // how often they are looked at
  std::chrono::milliseconds gather{50};      // for RCPT behind MAIL (milter/gate/session/onward.h)
  // By MX: to find the hosts, and after that no further place is tried; the mail system waits 300 s
  // for the reply to RCPT (RFC 5321 §4.5.3.2). Greeting and EHLO of each place.
  std::chrono::milliseconds choose{90'000};
  std::chrono::milliseconds greeting{120'000};
};

// Everything SIGHUP may change, as one immutable snapshot: a session works with the one that was
// current when it began.
struct Settings {
  std::string hostname;
  std::shared_ptr<const net::ServerTls> tls;  // null: no STARTTLS for clients
  using ClientTls = std::shared_ptr<boost::asio::ssl::context>;
  ClientTls any_certificate;       // null if no TLS is opportunistic
  ClientTls verified_certificate;  // null if none is required
  [[nodiscard]] const ClientTls& client_tls(smtp::TlsUse use) const {
    return use == smtp::TlsUse::required ? verified_certificate : any_certificate;
  }

  struct Inbound {
    HostPort upstream;
    smtp::GateInboundSession::Identify identify = smtp::GateInboundSession::Identify::proxy;
    smtp::TlsUse upstream_tls = smtp::TlsUse::none;
    std::vector<Network> networks;  // clients that may connect; empty = all
    bool auth_in_clear = false;
    unsigned max_connections = 1000;
    unsigned max_connections_per_address = 50;
  } inbound;
  struct Outbound {
    NextHop next_hop;  // of all mail, if there are no routes
    smtp::TlsUse tls = smtp::TlsUse::opportunistic;
    std::shared_ptr<const smtp::GateRoutes> routes;  // null: no choice
    std::uint16_t mx_port = 25;
    std::string dns;           // as net::DnsOptions has it
    std::vector<Network> own;  // beside the addresses of the interfaces
    std::vector<Network> networks;
    unsigned max_connections = 1000;
  } outbound;
  std::string look_up_path;  // of the socket where mtrk-milter answers
  Deadlines deadlines;
};

// Reads the certificates. Fails: net::TlsError.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const Config& config);

// What this program cannot do with a valid configuration, as one line; empty = nothing.
[[nodiscard]] std::string check_settings(const Config& config);

// True if `networks` is empty or one of them has the address.
[[nodiscard]] bool is_in(const std::vector<Network>& networks,
                         const net::asio::ip::address& address);

}  // namespace mtrk::gate
