#pragma once

#include "mtqpd/mtqp/answer/timeline.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// Runs mtqp track, which asks, follows referrals and prints the answers. Returns the exit code.
[[nodiscard]] int run_track(const TrackOptions& options);

// Runs mtqp status, which does the same and prints one line.
[[nodiscard]] int run_status(const StatusOptions& options);

// Returns the style that suits standard output: colours on a terminal, marks that the locale can
// show, local time.
[[nodiscard]] TimelineStyle style_of_output(Color color);

}  // namespace mtrk::cli
