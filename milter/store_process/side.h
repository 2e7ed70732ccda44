#pragma once

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "milter/base/counters.h"
#include "milter/base/reload_config.h"
#include "milter/log/location.h"
#include "milter/store_process/keeper.h"

#include <vector>

namespace mtrk {

// What the store process needs; all of it is there before that is forked.
struct StoreSide {
  const Config& config;
  const ReloadConfig& reload;
  const std::vector<LogPlace>& places;  // where the log may be, the best first
  Counters& counters;                   // in memory that both processes share
  int wake;                             // an event (eventfd(2)): look at the connection
};

// The store process of mtrk-milter: owns the store, follows the log, asks for the queue, and
// commits what comes over the connection, until it is told to stop. Returns the exit code.
//
// It may die of whatever it meets in its files: it keeps nothing that is not either committed or
// said again by the mail side. A store that is damaged, or that a process before this one died of
// and that does not pass a check, is set aside, and a new one begins.
int run_store_side(const StoreSide& side, UniqueFd connection, StoreKeeper::Start start);

}  // namespace mtrk
