#pragma once

#include "common/track/tracked_message.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Decides which servers may be asked on behalf of a client (chaining, RFC 3887 §2.4). Pure.
namespace mtrk::mtqpd {

struct ChainRules {
  // They are in lower case; each includes its subdomains, and "*" is every host.
  std::vector<std::string> domains;
  bool forwarded = false;  // also ask about recipients that were forwarded to another address
};

inline constexpr std::size_t kMaxChainedServers = 8;  // for one query (THR-X5)

// Returns true if `host` is one of `domains` or below one. An address matches only "*".
[[nodiscard]] bool is_listed(std::string_view host, const std::vector<std::string>& domains);

// Returns the server, in lower case, that may know more of `recipient`. It is one to which this
// mail system itself transferred the recipient (THR-X6), and which the rules list.
[[nodiscard]] std::optional<std::string> server_to_ask(const Recipient& recipient,
                                                       const ChainRules& rules);

// Returns the servers for all recipients, each once and kMaxChainedServers at most, without any
// that reports one of `messages` itself.
[[nodiscard]] std::vector<std::string> servers_to_ask(std::span<const TrackedMessage> messages,
                                                      const ChainRules& rules);

}  // namespace mtrk::mtqpd
