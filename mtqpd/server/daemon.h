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

// The process around the server: signals, reload, the store's ups and downs, the service manager.
//   SIGTERM, SIGINT  drain: no new connections, answers under way are finished, 3 s at most
//   SIGHUP           configuration and certificates again; if they are bad, the old ones stay
class Daemon {
 public:
  using LoadConfig = std::function<Expected<Config>()>;

  // Opens the store and binds, or takes the sockets that the service manager has bound (those named
  // "mtqps" begin with TLS). A store that is not there yet is waited for, answering
  // "unavailable"; `load` is what SIGHUP calls. Fails: std::system_error (bind), net::TlsError,
  // store::StoreUnusable (a newer format).
  Daemon(const Config& config, LoadConfig load);

  void run();  // until SIGTERM

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
  std::shared_ptr<const Settings> settings_;  // those of new connections
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
