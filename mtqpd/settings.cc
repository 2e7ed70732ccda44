#include "mtqpd/settings.h"

#include "common/base/ascii.h"
#include "mtqpd/listener.h"

namespace mtrk::mtqpd {
namespace {

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
    if (const Expected<net::Tcp::endpoint> endpoint = parse_endpoint(text); !endpoint) {
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

}  // namespace

std::shared_ptr<const Settings> make_settings(const Config& config) {
  auto settings = std::make_shared<Settings>();
  if (const auto files = certificate_files(config); !files.empty()) {
    settings->tls = std::make_shared<net::ServerTls>(files);
  }
  settings->tls_minimum = "TLSv" + config.tls.minimum;
  auto required = std::make_shared<std::vector<std::string>>();
  for (const std::string& name : config.tls.require_for) {
    required->push_back(to_lower(name));
  }
  settings->tls_required_for = std::move(required);
  settings->confidentiality = {to_forwarding(config.privacy.forwarding), config.privacy.hide_hosts};
  settings->limits.connections = config.mtqpd.max_connections;
  settings->limits.connections_per_source = config.mtqpd.max_connections_per_address;
  settings->limits.misses_per_minute = config.mtqpd.misses_per_minute;
  for (const std::string& text : config.mtqpd.trusted) {
    if (const Expected<Network> network = parse_network(text)) {  // the configuration was checked
      settings->limits.trusted.push_back(*network);
    }
  }
  settings->log_queries = config.mtqpd.log_queries;
  return settings;
}

std::string check_settings(const Config& config) {
  std::string problems;
  if (config.chaining.enabled) {
    add_problem(problems, "chaining.enabled: chaining is not in this release");
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
