#pragma once

#include "common/config/config.h"
#include "milter/gate/server.h"

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace mtrk::gate {

// A GateDaemon is the process around the server: it handles signals, reloads the configuration, and
// reports to the service manager.
//   SIGTERM, SIGINT  It accepts no new connections, ends at once the sessions that are between two
//                    messages, lets messages under way finish within 20 s, and ends.
//   SIGHUP           It reads configuration and certificates again. If they are unusable, the old
//                    ones stay in force. Sessions keep what was current when they began.
class GateDaemon {
 public:
  using LoadConfig = std::function<Expected<Config>()>;

  // Binds the addresses. Throws std::system_error and net::TlsError.
  GateDaemon(const Config& config, LoadConfig load);

  void run();  // returns after SIGTERM or SIGINT

 private:
  [[nodiscard]] net::Awaitable<void> handle_signals();
  [[nodiscard]] net::Awaitable<void> watchdog();
  [[nodiscard]] net::Awaitable<void> shut_down();
  [[nodiscard]] net::Awaitable<void> wait_for_sessions(std::chrono::seconds limit);
  void reload();

  LoadConfig load_;
  Config config_;
  GateServer server_;
  boost::asio::basic_signal_set<net::Executor> signals_{server_.context()};
};

}  // namespace mtrk::gate
