#pragma once

#include "common/track/envelope_id.h"
#include "common/track/secret.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// A Query says what track, status and watch ask: which server, about which message.
struct Query {
  Server server;
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
// Makes the query from a URI, standard input, the user's sent mail, or an ENVID and its secret. The
// error is a sentence for people that shows no secret. Throws std::system_error if the file of sent
// mail cannot be read.
[[nodiscard]] Expected<Query> query_of(const TrackOptions& options);

// Asks on the terminal whether to connect. Returns false if there is no terminal.
[[nodiscard]] bool confirmed(const Query& query);

}  // namespace mtrk::cli
