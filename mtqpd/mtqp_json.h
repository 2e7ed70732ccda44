#pragma once

#include "mtqpd/mtqp_hops.h"

#include <string>

namespace mtrk::cli {

// One hop as a JSON object on one line with its line end: the schema of mtqp(1), version 1. Times
// are RFC 3339 in UTC; texts of servers are printable ASCII (others as \xHH).
[[nodiscard]] std::string format_hop(std::size_t number, const Hop& hop);

}  // namespace mtrk::cli
