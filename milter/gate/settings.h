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

// Deadlines says how long a session may stand still. They are parameters only so that tests need
// not wait.
struct Deadlines {
  std::chrono::milliseconds connect{30'000};  // for each address of the server
  std::chrono::milliseconds handshake{30'000};
  // This is longer than any mail system waits (RFC 5321 §4.5.3.2).
  std::chrono::milliseconds idle{600'000};
  std::chrono::milliseconds closing{5'000};  // until the client has received our last octets
  std::chrono::milliseconds sweep{1'000};    // how often deadlines are checked
  std::chrono::milliseconds gather{50};      // for RCPT after MAIL (milter/gate/session/onward.h)
  // `choose` is the time to find the hosts of a domain by MX; when it is over, no further place is
  // tried. The mail system waits 300 s for the reply to RCPT (RFC 5321 §4.5.3.2). `greeting` is the
  // time for greeting and EHLO of each place.
  std::chrono::milliseconds choose{90'000};
  std::chrono::milliseconds greeting{120'000};
};

// Settings holds everything that SIGHUP may change, as one immutable snapshot. A session keeps the
// settings that were current when it began.
struct Settings {
  std::string hostname;
  std::shared_ptr<const net::ServerTls> tls;  // null if clients are offered no STARTTLS
  using ClientTls = std::shared_ptr<boost::asio::ssl::context>;
  ClientTls any_certificate;       // null if no TLS is opportunistic
  ClientTls verified_certificate;  // null if no TLS is required
  [[nodiscard]] const ClientTls& client_tls(smtp::TlsUse use) const {
    return use == smtp::TlsUse::required ? verified_certificate : any_certificate;
  }

  struct Inbound {
    HostPort upstream;
    smtp::GateInboundSession::Identify identify = smtp::GateInboundSession::Identify::proxy;
    smtp::TlsUse upstream_tls = smtp::TlsUse::none;
    std::vector<Network> networks;  // clients that may connect; empty: all
    bool auth_in_clear = false;
    unsigned max_connections = 1000;
    unsigned max_connections_per_address = 50;
  } inbound;
  struct Outbound {
    NextHop next_hop;  // for all mail, if there are no routes
    smtp::TlsUse tls = smtp::TlsUse::opportunistic;
    std::shared_ptr<const smtp::GateRoutes> routes;  // null: all mail goes to `next_hop`
    std::uint16_t mx_port = 25;
    std::string dns;           // as in net::DnsOptions
    std::vector<Network> own;  // besides the addresses of the interfaces
    std::vector<Network> networks;
    unsigned max_connections = 1000;
  } outbound;
  std::string look_up_path;  // the socket where mtrk-milter answers
  Deadlines deadlines;
};

// Reads the certificates. Throws net::TlsError.
[[nodiscard]] std::shared_ptr<const Settings> make_settings(const Config& config);

// Says in one line what this program cannot do with a valid configuration; empty if nothing.
[[nodiscard]] std::string check_settings(const Config& config);

// Returns true if `networks` is empty or one of them contains the address.
[[nodiscard]] bool is_in(const std::vector<Network>& networks,
                         const net::asio::ip::address& address);

}  // namespace mtrk::gate
