#pragma once

#include "common/config/config.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// Runs mtqp send, which submits a message, keeps the secret and prints the URI. Returns the exit
// code.
[[nodiscard]] int run_send(const SendOptions& options, const Config& config);

}  // namespace mtrk::cli
