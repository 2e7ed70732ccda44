#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>

// `mtrkctl config` shows the configuration as the programs see it.
namespace mtrk {

struct ConfigOptions {
  Config config;
  Show show = Show::changed;
  std::optional<std::string> key;  // a key such as "store.path", whose value alone is shown
};

// Returns the exit code: 0, or 64 if there is no such key.
[[nodiscard]] int run_config(const ConfigOptions& options);

}  // namespace mtrk
