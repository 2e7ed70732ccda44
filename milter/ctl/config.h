#pragma once

#include "common/config/config.h"

#include <optional>
#include <string>

// `mtrkctl config`: the configuration as the programs see it.
namespace mtrk {

struct ConfigOptions {
  Config config;
  Show show = Show::changed;
  std::optional<std::string> key;  // "store.path": its value alone
};

// Exit code: 0; 64 there is no such key.
[[nodiscard]] int run_config(const ConfigOptions& options);

}  // namespace mtrk
