#pragma once

#include "common/base/systemd.h"
#include "common/config/config.h"
#include "mtqpd/metrics/listener.h"
#include "mtqpd/metrics/metrics.h"
#include "mtqpd/metrics/stats_file.h"
#include "mtqpd/server/query_service.h"
#include "mtqpd/server/server.h"

#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {

// A Daemon is the process around the server: it handles signals, reloads the configuration, opens
// the store again when need be, and reports to the service manager.
//   SIGTERM, SIGINT  It accepts no new connections, finishes the answers under way within 3 s,
//                    and ends.
//   SIGHUP           It reads configuration and certificates again. If they are unusable, the old
//                    ones stay in force.
class Daemon {
 public:
  using LoadConfig = std::function<Expected<Config>()>;

  // Opens the store, and binds or takes the sockets that the service manager has bound (those named
  // "mtqps" begin with TLS). If the store does not exist yet, the daemon waits for it and answers
  // "unavailable" meanwhile. SIGHUP calls `load`. Throws std::system_error if an address cannot be
  // bound, net::TlsError, and store::StoreUnusable if the store has a newer format.
  Daemon(const Config& config, LoadConfig load);

  void run();  // returns after SIGTERM or SIGINT

 private:
  Daemon(const Config& config, LoadConfig load, const std::vector<systemd::ListenSocket>& sockets);
  [[nodiscard]] net::Awaitable<void> handle_signals();
  [[nodiscard]] net::Awaitable<void> tick();
  [[nodiscard]] net::Awaitable<void> shut_down();
  void tend_store();
  void tend_stats();
  void warn_of_certificates();
  [[nodiscard]] Metrics metrics() const;
  void reload();
  [[nodiscard]] std::string describe_listeners() const;

  LoadConfig load_;
  Config config_;
  std::shared_ptr<const Settings> settings_;  // for new connections
  QueryService queries_;
  Server server_;
  net::asio::io_context context_{1};
  boost::asio::basic_signal_set<net::Executor> signals_{context_};
  std::optional<MetricsListener> metrics_;
  StatsFile stats_file_;
  unsigned ticks_ = 0;
  bool stopping_ = false;
};

}  // namespace mtrk::mtqpd
