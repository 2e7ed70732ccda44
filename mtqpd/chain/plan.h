#pragma once

#include "common/track/tracked_message.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Which servers may be asked on behalf of a client (chaining, RFC 3887 §2.4). Pure.
namespace mtrk::mtqpd {

struct ChainRules {
  std::vector<std::string> domains;  // lower case, each with all below it; "*" is all
  bool forwarded = false;            // recipients that were forwarded to another address, too
};

inline constexpr std::size_t kMaxChainedServers = 8;  // for one query (THR-X5)

// True for one of `domains` and what is below it. An address is in none, but in "*".
[[nodiscard]] bool is_listed(std::string_view host, const std::vector<std::string>& domains);

// The server, in lower case, that may know more of `recipient`: it was transferred there by this
// mail system itself (THR-X6), and the rules list it.
[[nodiscard]] std::optional<std::string> server_to_ask(const Recipient& recipient,
                                                       const ChainRules& rules);

// Those of all recipients, each once; never the one that reports itself.
[[nodiscard]] std::vector<std::string> servers_to_ask(std::span<const TrackedMessage> messages,
                                                      const ChainRules& rules);

}  // namespace mtrk::mtqpd
