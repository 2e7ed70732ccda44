#pragma once

#include "common/config/config.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// Runs mtqp new, which makes an identity and prints it. Returns the exit code.
[[nodiscard]] int run_new(const NewOptions& options, const Config& config);

}  // namespace mtrk::cli
