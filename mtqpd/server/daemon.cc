#include "mtqpd/server/daemon.h"

#include "common/base/log.h"
#include "common/base/systemd.h"
#include "common/net/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <utility>

namespace mtrk::mtqpd {
namespace {

constexpr std::chrono::seconds kDrainLimit{3};  // the process has ended within five (mtqpd(8))
constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kTick{1};
constexpr unsigned kMissedBeats = 10;  // ticks without a sign of life of some worker
constexpr unsigned kStatsTicks = 5;
constexpr unsigned kCertificateTicks = 24 * 3600;
constexpr char kTlsSocket[] = "mtqps";  // FileDescriptorName= of sockets that begin with TLS

using Endpoints = std::vector<net::Tcp::endpoint>;

Endpoints to_endpoints(const std::vector<std::string>& list) {
  Endpoints endpoints;
  for (const std::string& text : list) {
    const Expected<net::Tcp::endpoint> endpoint = net::parse_endpoint(text);
    if (!endpoint) {
      throw std::invalid_argument(endpoint.error().detail);  // check_settings() has refused this
    }
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

// Returns what mtrk-milter last wrote beside the store.
std::optional<bool> log_current(const std::string& store_path) {
  std::ifstream file(store_path + "/milter.stats");
  for (std::string name, value; file >> name >> value;) {
    if (name == "log_current") {
      return value != "0";
    }
  }
  return std::nullopt;
}

void rethrow(const std::exception_ptr& failure) {
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace

Daemon::Daemon(const Config& config, LoadConfig load)
    : Daemon(config, std::move(load), systemd::take_listen_sockets()) {}

Daemon::Daemon(const Config& config,
               LoadConfig load,
               const std::vector<systemd::ListenSocket>& sockets)
    : load_(std::move(load)),
      config_(config),
      settings_(make_settings(config)),
      queries_(open_tracking_store(config.store.path)),
      server_(sockets.empty() ? to_endpoints(config.mtqpd.listen) : Endpoints(),
              sockets.empty() ? to_endpoints(config.mtqpd.listen_tls) : Endpoints(),
              config.mtqpd.threads,
              settings_,
              queries_),
      stats_file_(config.mtqpd.stats_file) {
  for (const systemd::ListenSocket& socket : sockets) {
    server_.adopt(socket.fd, socket.name == kTlsSocket ? Connection::Starts::with_tls
                                                       : Connection::Starts::plain);
  }
  if (!config.mtqpd.metrics.empty()) {
    metrics_.emplace(context_, to_endpoints({config.mtqpd.metrics}).front(),
                     [this] { return format_openmetrics(metrics()); });
  }
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.add(signal);
  }
  tend_store();
}

void Daemon::run() {
  server_.start();
  if (metrics_) {
    metrics_->start();
    log::notice("",
                {{"mtqpd", "metrics"}, {"listening", net::format_endpoint(metrics_->address())}});
  }
  net::asio::co_spawn(context_, handle_signals(), rethrow);
  net::asio::co_spawn(context_, tick(), rethrow);
  log::notice("", {{"mtqpd", "ready"},
                   {"", describe_listeners()},
                   {"threads", fmt::format("{}", server_.threads())}});
  warn_of_certificates();
  systemd::notify_ready("serving");
  context_.run();
  server_.join();
  tend_stats();
}

net::Awaitable<void> Daemon::handle_signals() {
  while (!stopping_) {
    const auto [error, signal] = co_await signals_.async_wait(net::kAwait);
    if (error) {
      co_return;
    }
    if (signal == SIGHUP) {
      reload();
      continue;
    }
    stopping_ = true;
    co_await shut_down();
  }
}

net::Awaitable<void> Daemon::shut_down() {
  systemd::notify_stopping();
  log::notice("",
              {{"mtqpd", "stopping"}, {"connections", fmt::format("{}", server_.connections())}});
  server_.drain();
  net::Timer poll(context_);
  const net::Clock::time_point latest = net::Clock::now() + kDrainLimit;
  while (!server_.finished() && net::Clock::now() < latest) {
    poll.expires_after(kDrainPoll);
    co_await poll.async_wait(net::kAwait);
  }
  if (!server_.finished()) {
    log::warning("", {{"mtqpd", "stopped with connections open"},
                      {"connections", fmt::format("{}", server_.connections())}});
    server_.stop();
  }
  context_.stop();
}

// Runs once a second. The watchdog is notified only while every worker moves.
net::Awaitable<void> Daemon::tick() {
  const bool watched = systemd::watchdog_interval().has_value();
  net::Timer timer(context_);
  std::uint64_t beats = 0;
  unsigned missed = 0;
  for (;;) {
    timer.expires_after(kTick);
    co_await timer.async_wait(net::kAwait);
    tend_store();
    ++ticks_;
    if (ticks_ % kStatsTicks == 0) {
      tend_stats();
    }
    if (ticks_ % kCertificateTicks == 0) {
      warn_of_certificates();
    }
    missed = server_.least_beats() == beats ? missed + 1 : 0;
    beats = server_.least_beats();
    if (watched && missed < kMissedBeats) {
      systemd::notify_watchdog();
    }
  }
}

void Daemon::tend_store() {
  const std::optional<QueryService::Change> change = queries_.tend(net::Clock::now());
  if (!change) {
    return;
  }
  if (change->available) {
    log::notice("", {{"store", "open"}, {"path", config_.store.path}});
    systemd::notify_status("serving");
  } else {
    log::error("", {{"store", "unavailable, trying again"}, {"reason", change->detail}});
    systemd::notify_status("waiting for the store");
  }
}

void Daemon::tend_stats() {
  if (const std::string problem = stats_file_.write(format_stats(metrics())); !problem.empty()) {
    log::warning("", {{"mtqpd", "cannot keep the counters"}, {"reason", problem}});
  }
}

void Daemon::warn_of_certificates() {
  for (const std::string& line : settings_warnings(*settings_, config_.hostname, wall_clock())) {
    log::warning("", {{"tls", line}});
  }
}

Metrics Daemon::metrics() const {
  return {server_.counters(), server_.connections(), server_.sources(), queries_.available(),
          log_current(config_.store.path)};
}

void Daemon::reload() {
  systemd::notify_reloading();
  const Expected<Config> config = load_();
  std::string problem;
  if (!config) {
    problem = config.error().detail;
  } else {
    problem = check_settings(*config);
  }
  if (problem.empty()) {
    settings_ = make_settings(*config);
    server_.apply(settings_);
    const bool moved = config->mtqpd.listen != config_.mtqpd.listen ||
                       config->mtqpd.listen_tls != config_.mtqpd.listen_tls ||
                       config->mtqpd.threads != config_.mtqpd.threads ||
                       config->mtqpd.metrics != config_.mtqpd.metrics ||
                       config->mtqpd.stats_file != config_.mtqpd.stats_file ||
                       config->store.path != config_.store.path;
    log::notice("", {{"mtqpd", "reloaded"}});
    warn_of_certificates();
    if (moved) {
      log::warning("", {{"mtqpd", "addresses, threads and paths need a restart"}});
    }
  } else {
    log::error("", {{"mtqpd", "not reloaded, the old configuration stays"}, {"reason", problem}});
  }
  systemd::notify_ready("serving");
}

std::string Daemon::describe_listeners() const {
  std::string text;
  for (const net::Tcp::endpoint& endpoint : server_.addresses()) {
    text += fmt::format("{}listening={}", text.empty() ? "" : ", ", net::format_endpoint(endpoint));
  }
  for (const net::Tcp::endpoint& endpoint : server_.tls_addresses()) {
    text +=
        fmt::format("{}listening_tls={}", text.empty() ? "" : ", ", net::format_endpoint(endpoint));
  }
  return text;
}

}  // namespace mtrk::mtqpd
