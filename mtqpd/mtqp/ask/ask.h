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

// What a reply to TRACK means (RFC 3887 §4): a report, or why there is none.
[[nodiscard]] HopResult interpret(net::MtqpAnswer answer);

// Asks server after server about one message, each time over a new connection; blocks. Says on
// standard error what --verbose wants to know, when the secret goes in clear (MTQP-11-01), and what
// is suspicious about a server. Throws net::TlsError for an unusable --tls-ca.
class Asker {
 public:
  Asker(const Query& query, const TrackOptions& options, net::Resolver& resolver);

  [[nodiscard]] HopResult ask(const Server& server);
  // All of it: the first server and those it refers to.
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

// The whole of a command: finds out what to ask, asks for leave if it should, and hands an Asker to
// `work`, whose result is the exit code. Usage errors are told on standard error.
[[nodiscard]] int with_asker(const TrackOptions& options, const std::function<int(Asker&)>& work);

}  // namespace mtrk::cli
