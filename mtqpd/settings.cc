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

}  // namespace

std::shared_ptr<const Settings> make_settings(const Config& config, TimePoint now) {
  auto settings = std::make_shared<Settings>();
  if (!config.tls.certificate.empty()) {
    settings->tls = std::make_shared<net::ServerTls>(
        std::vector<net::ServerTls::Files>{{config.tls.certificate, config.tls.key}}, now);
  }
  auto required = std::make_shared<std::vector<std::string>>();
  for (const std::string& name : config.tls.require_for) {
    required->push_back(to_lower(name));
  }
  settings->tls_required_for = std::move(required);
  settings->confidentiality = {to_forwarding(config.privacy.forwarding), config.privacy.hide_hosts};
  settings->max_connections = config.mtqpd.max_connections;
  settings->max_connections_per_address = config.mtqpd.max_connections_per_address;
  return settings;
}

std::string check_settings(const Config& config, TimePoint now) {
  std::string problems;
  if (config.chaining.enabled) {
    add_problem(problems, "chaining.enabled: chaining is not in this release");
  }
  if (config.mtqpd.listen.empty() && config.mtqpd.listen_tls.empty()) {
    add_problem(problems, "mtqpd.listen: no address to listen on");
  }
  check_addresses("mtqpd.listen", config.mtqpd.listen, problems);
  check_addresses("mtqpd.listen_tls", config.mtqpd.listen_tls, problems);
  if (config.tls.certificate.empty() && !config.tls.require_for.empty()) {
    add_problem(problems, "tls.require_for: needs tls.certificate and tls.key");
  }
  try {
    static_cast<void>(make_settings(config, now));
  } catch (const net::TlsError& error) {
    add_problem(problems, error.what());
  }
  return problems;
}

TimePoint wall_clock() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

}  // namespace mtrk::mtqpd
