#pragma once

#include "common/base/unique_fd.h"
#include "common/config/config.h"
#include "milter/base/counters.h"
#include "milter/base/reload_config.h"
#include "milter/log/location.h"
#include "milter/store_process/keeper.h"

#include <vector>

namespace mtrk {

// StoreSide holds what the store process needs. All of it exists before that process is forked.
struct StoreSide {
  const Config& config;
  const ReloadConfig& reload;
  const std::vector<LogPlace>& places;  // where the log may be, best place first
  Counters& counters;                   // in memory that both processes share
  int wake;                             // an eventfd(2): look at the connection
};

// Runs the store process of mtrk-milter until the mail side tells it to stop. It owns the store,
// follows the log, asks for the list of the queue, and commits what arrives over the connection.
// Returns the exit code.
//
// The process may die of anything in its files, because everything it holds is either committed or
// sent again by the mail side. A store is set aside and a new one begun if it is damaged, or if an
// earlier process died of it and it does not pass a check.
int run_store_side(const StoreSide& side, UniqueFd connection, StoreKeeper::Start start);

}  // namespace mtrk
