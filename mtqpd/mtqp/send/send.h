#pragma once

#include "common/config/config.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// mtqp send: submits, keeps the secret, prints the URI. Returns the exit code.
[[nodiscard]] int run_send(const SendOptions& options, const Config& config);

}  // namespace mtrk::cli
