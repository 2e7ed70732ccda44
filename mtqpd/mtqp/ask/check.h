#pragma once

#include "common/net/mtqp_client.h"
#include "mtqpd/mtqp/base/options.h"

#include <string>

namespace mtrk::cli {

// What a look at a server found, for people; every text of the server is escaped. `now` decides
// which certificates have expired.
[[nodiscard]] std::string format_check(const std::string& host,
                                       const net::MtqpProbe& probe,
                                       TimePoint now);
// The schema of mtqp(1), one line.
[[nodiscard]] std::string format_check_json(const std::string& host, const net::MtqpProbe& probe);
// 0 if a TRACK would be answered over TLS that holds, or in clear where no TLS is offered; else
// what mtqp track would exit with.
[[nodiscard]] int exit_code_of(const net::MtqpProbe& probe);

// mtqp check: how far a session with a server comes. Returns the exit code.
[[nodiscard]] int run_check(const CheckOptions& options);

}  // namespace mtrk::cli
