#pragma once

#include "common/track/envelope_id.h"
#include "common/track/secret.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// What track, status and watch ask: which server about which message.
struct Query {
  Server server;
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
// From a URI, standard input, the user's sent mail, or an ENVID with its secret from elsewhere.
// Fails: a sentence for people that shows no secret. Throws std::system_error: the file of sent
// mail cannot be read.
[[nodiscard]] Expected<Query> query_of(const TrackOptions& options);

// Asks on the terminal whether to connect; false without one.
[[nodiscard]] bool confirmed(const Query& query);

}  // namespace mtrk::cli
