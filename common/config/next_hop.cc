#include "common/config/next_hop.h"

#include <utility>

namespace mtrk {

Expected<NextHop> parse_next_hop(std::string_view text) {
  constexpr std::string_view kLmtp = "lmtp:";
  constexpr std::string_view kUnix = "unix:";
  NextHop hop;
  if (text == "mx") {
    hop.by_mx = true;
    return hop;
  }
  // In "lmtp:24" the host is called "lmtp".
  hop.lmtp = text.starts_with(kLmtp) && text.find(':', kLmtp.size()) != std::string_view::npos;
  text.remove_prefix(hop.lmtp ? kLmtp.size() : 0);
  if (hop.lmtp && text.starts_with(kUnix)) {
    hop.path = text.substr(kUnix.size());
    if (!hop.path.starts_with('/') || hop.path.size() > kLongestSocketPath) {
      return fail(ErrorCode::syntax,
                  "the path of a socket starts with / and has at most 107 octets");
    }
    return hop;
  }
  Expected<HostPort> at = parse_host_port(text);
  if (!at) {
    return Unexpected(std::move(at.error()));
  }
  if (at->port == 0) {
    return fail(ErrorCode::syntax, "the port is a number from 1 to 65535, not 0");
  }
  hop.at = std::move(*at);
  return hop;
}

}  // namespace mtrk
