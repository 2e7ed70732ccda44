#pragma once

#include "common/config/config.h"

// `mtrkctl stats`: what the store holds, as "name value" lines or one JSON object.
namespace mtrk {

enum class StatsFormat { text, json };

// Opens the store for reading only. Exit code (sysexits): 0; 66, 77, 78 as tracking_reader.h. Never
// throws.
[[nodiscard]] int run_stats(const Config& config, StatsFormat format);

}  // namespace mtrk
