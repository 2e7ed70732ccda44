#include "mtqpd/mtqp/base/network.h"

#include "common/base/ascii.h"
#include "common/mtqp/uri.h"

namespace mtrk::cli {

Expected<net::DnsResolver::FixedNames> parse_fixed_names(const std::vector<std::string>& texts) {
  net::DnsResolver::FixedNames names;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ErrorCode::syntax, "--resolve takes HOST=ADDRESS[:PORT]");
    }
    const Expected<mtqp::HostPort> place = mtqp::parse_host_port(text.substr(equals + 1));
    net::error_code error;
    const auto address =
        place ? net::asio::ip::make_address(place->host, error) : net::asio::ip::address();
    if (!place || error) {
      return fail(ErrorCode::syntax, "--resolve takes HOST=ADDRESS[:PORT]");
    }
    names[to_lower(text.substr(0, equals))] = {address, place->port};
  }
  return names;
}

Expected<std::unique_ptr<net::DnsResolver>> make_resolver(const LookUpOptions& options) {
  Expected<net::DnsResolver::FixedNames> fixed = parse_fixed_names(options.resolve);
  if (!fixed) {
    return Unexpected(std::move(fixed.error()));
  }
  net::DnsOptions dns;
  dns.servers = options.dns;
  if (std::string problem = dns.servers.empty() ? "" : net::check_dns_servers(dns.servers);
      !problem.empty()) {
    return fail(ErrorCode::syntax, "--dns: " + problem);
  }
  return std::make_unique<net::DnsResolver>(std::move(*fixed), std::move(dns));
}

Trouble to_trouble(net::MtqpFailure::Kind kind) {
  switch (kind) {
    case net::MtqpFailure::Kind::network:
      return Trouble::network;
    case net::MtqpFailure::Kind::tls:
      return Trouble::tls;
    case net::MtqpFailure::Kind::protocol:
      break;
  }
  return Trouble::protocol;
}

}  // namespace mtrk::cli
