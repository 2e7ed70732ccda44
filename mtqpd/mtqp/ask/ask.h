#pragma once

#include "common/net/mtqp_client.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/ask/query.h"
#include "mtqpd/mtqp/ask/trust.h"
#include "mtqpd/mtqp/base/network.h"
#include "mtqpd/mtqp/base/tls.h"

#include <functional>
#include <memory>
#include <string>

namespace mtrk::cli {

// Returns what a reply to TRACK means (RFC 3887 §4): a report, or the reason why there is none.
[[nodiscard]] HopResult interpret(net::MtqpAnswer answer);

// An Asker asks one server after the other about one message, each over a new connection, and
// blocks meanwhile. On standard error it reports what --verbose wants to know, that the secret goes
// in clear (MTQP-11-01), and what is suspicious about a server. Its functions throw net::TlsError
// if --tls-ca is unusable.
class Asker {
 public:
  Asker(const Query& query, const TrackOptions& options, net::Resolver& resolver);

  [[nodiscard]] HopResult ask(const Server& server);
  // Asks the first server, and those to which the answers refer.
  [[nodiscard]] Travel run();

 private:
  [[nodiscard]] net::MtqpClientOptions client_options(const Server& server);

  const Query& query_;
  const TrackOptions& options_;
  net::Resolver& resolver_;
  LazyTlsContext tls_context_;
  Trust trust_;
  bool first_ = true;
};

// Runs a whole command: finds out what to ask, asks the user for permission if options.confirm is
// set, and calls `work` with an Asker. Returns the result of `work` as the exit code. Usage errors
// are reported on standard error.
[[nodiscard]] int with_asker(const TrackOptions& options, const std::function<int(Asker&)>& work);

}  // namespace mtrk::cli
