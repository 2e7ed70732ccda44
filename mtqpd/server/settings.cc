#include "mtqpd/server/settings.h"

#include "common/base/ascii.h"
#include "common/net/listener.h"

namespace mtrk::mtqpd {
namespace {

// This is the time for SRV and then address records. It is less than the share that one of eight
// servers has of the budget.
constexpr std::chrono::seconds kChainedLookUp{4};

Confidentiality::Forwarding to_forwarding(Forwarding forwarding) {
  switch (forwarding) {
    case Forwarding::hide:
      return Confidentiality::Forwarding::hide;
    case Forwarding::reveal:
      return Confidentiality::Forwarding::reveal;
    case Forwarding::final:
      return Confidentiality::Forwarding::final;
  }
  return Confidentiality::Forwarding::hide;
}

void add_problem(std::string& problems, const std::string& problem) {
  if (!problems.empty()) {
    problems += "; ";
  }
  problems += problem;
}

void check_addresses(const char* key, const std::vector<std::string>& list, std::string& problems) {
  for (const std::string& text : list) {
    if (const Expected<net::Tcp::endpoint> endpoint = net::parse_endpoint(text); !endpoint) {
      add_problem(problems, std::string(key) + ": " + endpoint.error().detail);
    }
  }
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

std::vector<Network> to_networks(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const std::string& text : texts) {
    // The configuration has been checked.
    if (const Expected<Network> network = parse_network(text)) {
      networks.push_back(*network);
    }
  }
  return networks;
}

std::vector<std::string> to_lower(const std::vector<std::string>& texts) {
  std::vector<std::string> lower;
  for (const std::string& text : texts) {
    lower.push_back(mtrk::to_lower(text));
  }
  return lower;
}

std::shared_ptr<Chaining> make_chaining(const Config& config, const Confidentiality& privacy) {
  if (!config.chaining.enabled) {
    return nullptr;
  }
  ChainingOptions options;
  options.rules.domains = to_lower(config.chaining.domains);
  options.rules.forwarded = privacy.forwarding == Confidentiality::Forwarding::reveal;
  options.confidentiality = privacy;
  options.hops =
      config.chaining.hops == "final" ? ChainingOptions::Hops::final : ChainingOptions::Hops::all;
  options.networks = to_networks(config.chaining.networks);
  options.port = static_cast<std::uint16_t>(config.chaining.port);
  options.dns.servers = config.chaining.dns;
  options.dns.limit = kChainedLookUp;
  options.tls = net::make_client_context(net::Verify::peer, config.chaining.ca_file);
  return std::make_shared<Chaining>(std::move(options));
}

}  // namespace

std::shared_ptr<const Settings> make_settings(const Config& config) {
  auto settings = std::make_shared<Settings>();
  if (const auto files = certificate_files(config); !files.empty()) {
    settings->tls = std::make_shared<net::ServerTls>(files);
  }
  settings->tls_minimum = "TLSv" + config.tls.minimum;
  settings->tls_required_for =
      std::make_shared<std::vector<std::string>>(to_lower(config.tls.require_for));
  settings->confidentiality = {to_forwarding(config.privacy.forwarding), config.privacy.hide_hosts};
  settings->limits.connections = config.mtqpd.max_connections;
  settings->limits.connections_per_source = config.mtqpd.max_connections_per_address;
  settings->limits.misses_per_minute = config.mtqpd.misses_per_minute;
  settings->limits.trusted = to_networks(config.mtqpd.trusted);
  settings->chaining = make_chaining(config, settings->confidentiality);
  settings->log_queries = config.mtqpd.log_queries;
  return settings;
}

std::string check_settings(const Config& config) {
  std::string problems;
  if (config.chaining.enabled && config.chaining.domains.empty()) {
    add_problem(problems, "chaining.domains: names no domain whose servers may be asked");
  }
  if (const std::string problem =
          config.chaining.dns.empty() ? "" : net::check_dns_servers(config.chaining.dns);
      !problem.empty()) {
    add_problem(problems, "chaining.dns: " + problem);
  }
  if (config.mtqpd.listen.empty() && config.mtqpd.listen_tls.empty()) {
    add_problem(problems, "mtqpd.listen: no address to listen on");
  }
  check_addresses("mtqpd.listen", config.mtqpd.listen, problems);
  check_addresses("mtqpd.listen_tls", config.mtqpd.listen_tls, problems);
  if (certificate_files(config).empty() && !config.tls.require_for.empty()) {
    add_problem(problems, "tls.require_for: needs tls.certificate and tls.key");
  }
  try {
    static_cast<void>(make_settings(config));
  } catch (const net::TlsError& error) {
    add_problem(problems, error.what());
  }
  return problems;
}

std::vector<std::string> settings_warnings(const Settings& settings,
                                           const std::string& hostname,
                                           TimePoint now) {
  if (!settings.tls) {
    return {};
  }
  std::vector<std::string> lines = settings.tls->warnings(now);
  if (!hostname.empty() &&
      settings.tls->choose(hostname, now).match == net::ServerTls::Match::no_match) {
    lines.push_back("no certificate is for " + hostname + ", the name this host reports itself by");
  }
  return lines;
}

TimePoint wall_clock() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

}  // namespace mtrk::mtqpd
