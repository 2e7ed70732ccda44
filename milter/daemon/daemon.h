#pragma once

#include "common/config/config.h"
#include "milter/base/reload_config.h"

#include <string>

namespace mtrk {

// What mtrk-milter cannot do with a valid configuration; empty = nothing.
[[nodiscard]] std::string milter_complaint(const Config& config);

// The whole daemon: opens the store, takes the log's position, publishes the socket, serves until
// SIGTERM or SIGINT, then lets messages under way end, and commits what is queued. Returns the exit
// code. To be called once, from the main thread, while it is the only one.
//
// Signals (libmilter's own thread waits for HUP, TERM and INT too, so the rules are made here):
//   TERM, INT   the socket's name goes, messages with MTRK under way have 20 s to end, everything
//               queued is committed. A second one ends the waiting.
//   USR1        reload: retention, queue_lifetime, filters, privacy.forwarding; other keys need a
//               restart (logged)
//   HUP, PIPE   ignored. HUP would end any other libmilter program.
int run_milter_daemon(const Config& config, const ReloadConfig& reload);

}  // namespace mtrk
