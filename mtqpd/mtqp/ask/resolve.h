#pragma once

#include "common/net/resolver.h"
#include "mtqpd/mtqp/base/options.h"

#include <string>

namespace mtrk::cli {

// What discovery found, a line for each target in the order to try them; names escaped.
[[nodiscard]] std::string format_discovery(const net::Discovery& found);
// The schema of mtqp(1), one line.
[[nodiscard]] std::string format_discovery_json(const std::string& host,
                                                const net::Discovery& found);

// mtqp resolve: where a host's tracking service is. Returns the exit code.
[[nodiscard]] int run_resolve(const ResolveOptions& options);

}  // namespace mtrk::cli
