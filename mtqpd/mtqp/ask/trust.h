#pragma once

#include "mtqpd/mtqp/ask/known_servers.h"
#include "mtqpd/mtqp/base/options.h"

#include <optional>
#include <string>

namespace mtrk::cli {

// Decides whether a server may be given the secret, by what is remembered of it, and says on
// standard error what is suspicious. A server that had TLS before and offers none now is refused
// unless --tls no says that the secret may go in clear (MTQP-11-04); another key is told
// (MTQP-11-05). Trouble with the memory itself is told and keeps nobody from asking.
class Trust {
 public:
  explicit Trust(const TlsOptions& tls);

  // Nothing, or why not. `server` as in KnownServer.
  [[nodiscard]] std::optional<std::string> approve(const std::string& server,
                                                   const net::MtqpPeer& peer);

 private:
  const TlsOptions& tls_;
  std::optional<KnownServers> memory_;
};

}  // namespace mtrk::cli
