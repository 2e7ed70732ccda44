#include "milter/gate/settings.h"

#include "common/base/ascii.h"
#include "common/config/gate_socket.h"
#include "common/net/dns.h"
#include "common/net/listener.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mtrk::gate {
namespace {

using smtp::TlsUse;
using Identify = smtp::GateInboundSession::Identify;

TlsUse to_tls_use(std::string_view word) {
  if (word == "required") {
    return TlsUse::required;
  }
  return word == "opportunistic" ? TlsUse::opportunistic : TlsUse::none;
}

Identify to_identify(std::string_view word) {
  if (word == "xclient") {
    return Identify::xclient;
  }
  return word == "none" ? Identify::none : Identify::proxy;
}

void prepare_tls(Settings& settings, TlsUse use) {
  if (use == TlsUse::opportunistic && !settings.any_certificate) {
    settings.any_certificate = net::make_client_context(net::Verify::none, "");
  } else if (use == TlsUse::required && !settings.verified_certificate) {
    settings.verified_certificate = net::make_client_context(net::Verify::peer, "");
  }
}

std::vector<Network> to_networks(const std::vector<std::string>& list) {
  std::vector<Network> networks;
  for (const std::string& text : list) {
    // The configuration has been checked.
    if (const Expected<Network> network = parse_network(text)) {
      networks.push_back(*network);
    }
  }
  return networks;
}

HostPort to_host_port(const std::string& text) {
  return parse_host_port(text).value_or(HostPort());
}

smtp::GateRoute to_route(const std::string& nexthop, TlsUse tls) {
  const NextHop hop = parse_next_hop(nexthop).value_or(NextHop());
  return {hop.at.host, hop.at.port, tls};  // without a host: by MX
}

Settings::Outbound to_outbound(const Config::Gate::Outbound& out, Settings& settings) {
  Settings::Outbound result;
  result.tls = to_tls_use(out.tls);
  prepare_tls(settings, result.tls);
  result.next_hop = parse_next_hop(out.nexthop).value_or(NextHop());
  if (result.next_hop.by_mx || !out.destination.empty()) {
    auto routes = std::make_shared<smtp::GateRoutes>(to_route(out.nexthop, result.tls));
    for (const GateDestination& one : out.destination) {
      const TlsUse tls = one.tls.empty() ? result.tls : to_tls_use(one.tls);
      prepare_tls(settings, tls);
      routes->add(one.domain, to_route(one.nexthop, tls));
    }
    result.routes = std::move(routes);
  }
  if (!result.next_hop.path.empty()) {
    result.tls = TlsUse::none;  // a socket on this host cannot be tapped
  }
  result.mx_port = static_cast<std::uint16_t>(out.mx_port);
  for (const std::string& server : out.dns) {
    result.dns.append(result.dns.empty() ? "" : ",").append(server);
  }
  result.own = to_networks(out.own_addresses);
  result.networks = to_networks(out.networks);
  result.max_connections = out.max_connections;
  return result;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::vector<net::ServerTls::Files> certificate_files(const Config& config) {
  std::vector<net::ServerTls::Files> files;
  if (!config.tls.certificate.empty()) {
    files.push_back({config.tls.certificate, config.tls.key});
  }
  for (const CertificateFiles& more : config.tls.certificates) {
    files.push_back({more.certificate, more.key});
  }
  return files;
}

void add_problem(std::string& problems, const std::string& problem) {
  problems.append(problems.empty() ? "" : "; ").append(problem);
}

void check_addresses(const char* key, const std::vector<std::string>& list, std::string& problems) {
  for (const std::string& text : list) {
    if (const Expected<net::Tcp::endpoint> endpoint = net::parse_endpoint(text); !endpoint) {
      add_problem(problems, std::string(key) + ": " + endpoint.error().detail);
    }
  }
}

}  // namespace

std::shared_ptr<const Settings> make_settings(const Config& config) {
  auto settings = std::make_shared<Settings>();
  settings->hostname = config.hostname.empty() ? host_name() : config.hostname;
  if (const auto files = certificate_files(config); !files.empty()) {
    settings->tls = std::make_shared<net::ServerTls>(files);
  }
  const Config::Gate::Inbound& in = config.gate.inbound;
  const TlsUse upstream_tls = to_tls_use(in.upstream_tls);
  prepare_tls(*settings, upstream_tls);
  settings->inbound = {to_host_port(in.upstream),     to_identify(in.identify), upstream_tls,
                       to_networks(in.networks),      in.auth_in_clear,         in.max_connections,
                       in.max_connections_per_address};
  settings->outbound = to_outbound(config.gate.outbound, *settings);
  settings->look_up_path = gate_socket_path(config);
  return settings;
}

std::string check_settings(const Config& config) {
  std::string problems;
  const Config::Gate::Inbound& in = config.gate.inbound;
  const Config::Gate::Outbound& out = config.gate.outbound;
  if (in.listen.empty() && out.listen.empty()) {
    add_problem(problems, "gate.inbound.listen, gate.outbound.listen: nothing to do");
  }
  check_addresses("gate.inbound.listen", in.listen, problems);
  check_addresses("gate.outbound.listen", out.listen, problems);
  if (!in.listen.empty() && in.upstream.empty()) {
    add_problem(problems, "gate.inbound.upstream: where is the mail system?");
  }
  if (!in.listen.empty() && in.identify == "none" && in.networks.empty()) {
    // The mail system would take every client for this host, which may relay.
    add_problem(problems,
                "gate.inbound.networks: with identify = \"none\" the mail system cannot tell "
                "strangers from this host; name the networks whose clients may use it");
  }
  if (!out.listen.empty() && out.nexthop.empty()) {
    add_problem(problems, "gate.outbound.nexthop: where to? A host and port, or \"mx\"");
  }
  if (const auto hop = parse_next_hop(out.nexthop); hop && hop->lmtp && !out.destination.empty()) {
    add_problem(problems,
                "gate.outbound.destination: the recipients of one transaction go to different next "
                "hops, which an LMTP nexthop cannot be one of");
  }
  for (const std::string& server : out.dns) {
    if (const std::string wrong = net::check_dns_servers(server); !wrong.empty()) {
      add_problem(problems, "gate.outbound.dns: " + wrong);
    }
  }
  if (!out.listen.empty() && out.networks.empty()) {
    add_problem(problems, "gate.outbound.networks: would let everybody relay");
  }
  try {
    static_cast<void>(make_settings(config));
  } catch (const net::TlsError& error) {
    add_problem(problems, error.what());
  }
  return problems;
}

bool is_in(const std::vector<Network>& networks, const net::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  const ip::address_v6::bytes_type octets =
      (address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6())
          .to_bytes();
  Network::Address wanted{};
  std::copy(octets.begin(), octets.end(), wanted.begin());
  return networks.empty() || std::any_of(networks.begin(), networks.end(),
                                         [&](const Network& one) { return one.contains(wanted); });
}

}  // namespace mtrk::gate
