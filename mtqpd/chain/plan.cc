#include "mtqpd/chain/plan.h"

#include "common/base/ascii.h"
#include "common/mtqp/referral.h"

#include <algorithm>

namespace mtrk::mtqpd {
namespace {

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool reports_itself(std::string_view host, std::span<const TrackedMessage> messages) {
  return std::any_of(messages.begin(), messages.end(), [&](const TrackedMessage& message) {
    return iequals(message.reporting_mta.name, host);
  });
}

}  // namespace

bool is_listed(std::string_view host, const std::vector<std::string>& domains) {
  const bool has_domain = !is_address(host);
  return std::any_of(domains.begin(), domains.end(), [&](const std::string& domain) {
    if (domain == "*") {
      return true;
    }
    if (!has_domain || host.size() < domain.size()) {
      return false;
    }
    const std::size_t in_front = host.size() - domain.size();
    return iequals(host.substr(in_front), domain) && (in_front == 0 || host[in_front - 1] == '.');
  });
}

std::optional<std::string> server_to_ask(const Recipient& recipient, const ChainRules& rules) {
  const auto* transferred = std::get_if<Transferred>(&recipient.outcome);
  if (transferred == nullptr || (recipient.redirected && !rules.forwarded)) {
    return std::nullopt;
  }
  std::optional<std::string> host = mtqp::host_of_mta(transferred->remote_mta);
  if (!host || !is_listed(*host, rules.domains)) {
    return std::nullopt;
  }
  return to_lower(*host);
}

std::vector<std::string> servers_to_ask(std::span<const TrackedMessage> messages,
                                        const ChainRules& rules) {
  std::vector<std::string> servers;
  for (const TrackedMessage& message : messages) {
    for (const Recipient& recipient : message.recipients) {
      std::optional<std::string> server = server_to_ask(recipient, rules);
      if (server && std::find(servers.begin(), servers.end(), *server) == servers.end() &&
          !reports_itself(*server, messages)) {
        servers.push_back(std::move(*server));
        if (servers.size() == kMaxChainedServers) {
          return servers;
        }
      }
    }
  }
  return servers;
}

}  // namespace mtrk::mtqpd
