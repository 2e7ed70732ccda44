#pragma once

#include "mtqpd/mtqp_options.h"

namespace mtrk::cli {

// mtqp track: asks, follows, prints. Returns the exit code.
[[nodiscard]] int run_track(const TrackOptions& options);

}  // namespace mtrk::cli
