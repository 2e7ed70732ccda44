#pragma once

#include "common/net/mtqp_client.h"
#include "mtqpd/mtqp_hops.h"
#include "mtqpd/mtqp_options.h"
#include "mtqpd/mtqp_tls.h"

#include <string>

namespace mtrk::cli {

// What a reply to TRACK means (RFC 3887 §4): a report, or why there is none.
[[nodiscard]] HopResult interpret(net::MtqpAnswer answer);

// "HOST=ADDRESS[:PORT]", as --resolve takes it.
[[nodiscard]] Expected<net::AddressResolver::FixedNames> parse_fixed_names(
    const std::vector<std::string>& texts);

// Asks server after server about one message, each time over a new connection; blocks. Says on
// standard error what --verbose wants to know, and when the secret goes in clear (MTQP-11-01).
// Throws net::TlsError for an unusable --tls-ca.
class Asker {
 public:
  Asker(const EnvelopeId& envelope_id,
        const TrackingSecret& secret,
        const TrackOptions& options,
        net::AddressResolver::FixedNames fixed);

  [[nodiscard]] HopResult ask(const Server& server);

 private:
  const EnvelopeId& envelope_id_;
  const TrackingSecret& secret_;
  const TrackOptions& options_;
  net::AddressResolver resolver_;
  LazyTlsContext tls_context_;
  bool first_ = true;
};

}  // namespace mtrk::cli
