#pragma once

#include "common/config/config.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// mtqp new: makes an identity and prints it. Returns the exit code.
[[nodiscard]] int run_new(const NewOptions& options, const Config& config);

}  // namespace mtrk::cli
