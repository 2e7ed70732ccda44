#pragma once

#include "common/net/mtqp_client.h"
#include "mtqpd/mtqp/base/options.h"

#include <string>

namespace mtrk::cli {

// Returns, for people, what a probe of a server found; every text of the server is escaped. `now`
// decides which certificates have expired.
[[nodiscard]] std::string format_check(const std::string& host,
                                       const net::MtqpProbe& probe,
                                       TimePoint now);
// Returns one line of JSON with the schema that mtqp(1) documents.
[[nodiscard]] std::string format_check_json(const std::string& host, const net::MtqpProbe& probe);
// Returns 0 if TRACK would be answered over sound TLS, or in clear where no TLS is offered;
// otherwise the code with which mtqp track would exit.
[[nodiscard]] int exit_code_of(const net::MtqpProbe& probe);

// Runs mtqp check, which reports how far a session with a server gets. Returns the exit code.
[[nodiscard]] int run_check(const CheckOptions& options);

}  // namespace mtrk::cli
