#pragma once

#include "common/net/resolver.h"
#include "mtqpd/mtqp/base/options.h"

#include <string>

namespace mtrk::cli {

// Returns what the discovery of servers found: a line for each target, in the order to try them,
// with escaped names.
[[nodiscard]] std::string format_discovery(const net::Discovery& found);
// Returns one line of JSON with the schema that mtqp(1) documents.
[[nodiscard]] std::string format_discovery_json(const std::string& host,
                                                const net::Discovery& found);

// Runs mtqp resolve, which shows where a host's tracking service is. Returns the exit code.
[[nodiscard]] int run_resolve(const ResolveOptions& options);

}  // namespace mtrk::cli
