#pragma once

#include "common/config/config.h"
#include "milter/base/reload_config.h"

#include <string>

namespace mtrk {

// Says what mtrk-milter cannot do with a valid configuration; empty if nothing.
[[nodiscard]] std::string milter_complaint(const Config& config);

// Runs the whole daemon: opens the store, takes the log's position, publishes the socket, serves
// until SIGTERM or SIGINT, lets messages under way end, and commits what is queued. Returns the
// exit code. To be called once, from the main thread, while it is the only thread.
//
// Signals (libmilter's own thread also waits for HUP, TERM and INT, so the rules are made here):
//   TERM, INT   The socket's name is removed, messages with MTRK under way have 20 s to end, and
//               everything queued is committed. A second signal ends the waiting.
//   USR1        Retention, queue_lifetime, filters and privacy.forwarding are reloaded. Other keys
//               need a restart, which is logged.
//   HUP, PIPE   They are ignored. HUP would end any other libmilter program.
int run_milter_daemon(const Config& config, const ReloadConfig& reload);

}  // namespace mtrk
