#pragma once

#include "mtqpd/mtqp/ask/known_servers.h"
#include "mtqpd/mtqp/base/options.h"

#include <optional>
#include <string>

namespace mtrk::cli {

// Decides by what is remembered of a server whether it may be given the secret, and reports on
// standard error what is suspicious. A server that had TLS before and offers none now is refused,
// unless --tls no says that the secret may go in clear (MTQP-11-04). Another key is only reported
// (MTQP-11-05). If the memory itself cannot be used, that is reported, and every server is
// approved.
class Trust {
 public:
  explicit Trust(const TlsOptions& tls);

  // Returns nothing if the server may be asked, and otherwise the reason why not. `server` is spelt
  // as in KnownServer.
  [[nodiscard]] std::optional<std::string> approve(const std::string& server,
                                                   const net::MtqpPeer& peer);

 private:
  const TlsOptions& tls_;
  std::optional<KnownServers> memory_;
};

}  // namespace mtrk::cli
