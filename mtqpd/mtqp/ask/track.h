#pragma once

#include "mtqpd/mtqp/answer/timeline.h"
#include "mtqpd/mtqp/base/options.h"

namespace mtrk::cli {

// mtqp track: asks, follows, prints. Returns the exit code.
[[nodiscard]] int run_track(const TrackOptions& options);

// mtqp status: the same in one line.
[[nodiscard]] int run_status(const StatusOptions& options);

// How standard output wants it: colours on terminals, marks by the locale, local time.
[[nodiscard]] TimelineStyle style_of_output(Color color);

}  // namespace mtrk::cli
