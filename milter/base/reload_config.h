#pragma once

#include "common/base/expected.h"
#include "common/config/config.h"

#include <functional>

namespace mtrk {

// Reads the configuration again for SIGUSR1; the detail of an error is whole lines for the log. The
// process that answers the mail system and the store's process each do this for themselves.
using ReloadConfig = std::function<Expected<Config>()>;

}  // namespace mtrk
