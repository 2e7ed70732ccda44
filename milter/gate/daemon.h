#pragma once

#include "common/config/config.h"
#include "milter/gate/server.h"

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace mtrk::gate {

// The process around the server: signals, reload, the service manager.
//   SIGTERM, SIGINT  drain: no new connections; sessions that are between two messages end at once,
//                    messages under way are finished, 20 s at most
//   SIGHUP           configuration and certificates again; if they are bad, the old ones stay.
//                    Sessions go on with what was current when they began
class GateDaemon {
 public:
  using LoadConfig = std::function<Expected<Config>()>;

  // Binds. Fails: std::system_error, net::TlsError.
  GateDaemon(const Config& config, LoadConfig load);

  void run();  // until SIGTERM

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
