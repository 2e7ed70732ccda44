#pragma once

#include "common/config/config.h"

// `mtrkctl stats` shows what the store holds, as "name value" lines or as one JSON object.
namespace mtrk {

enum class StatsFormat { text, json };

// Opens the store for reading only. Returns the exit code (sysexits): 0, or 66, 77, 78 as in
// tracking_reader.h. Never throws.
[[nodiscard]] int run_stats(const Config& config, StatsFormat format);

}  // namespace mtrk
