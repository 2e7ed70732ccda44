#include "mtqpd/daemon.h"

#include "common/base/log.h"
#include "common/base/systemd.h"
#include "mtqpd/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <utility>

namespace mtrk::mtqpd {
namespace {

constexpr std::chrono::seconds kDrainLimit{10};
constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::chrono::seconds kTick{1};
constexpr unsigned kMissedBeats = 10;  // ticks without a sign of life of some worker

std::vector<net::Tcp::endpoint> to_endpoints(const std::vector<std::string>& list) {
  std::vector<net::Tcp::endpoint> endpoints;
  for (const std::string& text : list) {
    const Expected<net::Tcp::endpoint> endpoint = parse_endpoint(text);
    if (!endpoint) {
      throw std::invalid_argument(endpoint.error().detail);  // check_settings() has seen it
    }
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

void rethrow(const std::exception_ptr& failure) {
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace

Daemon::Daemon(const Config& config, LoadConfig load)
    : load_(std::move(load)),
      config_(config),
      queries_(open_tracking_store(config.store.path)),
      server_(to_endpoints(config.mtqpd.listen),
              to_endpoints(config.mtqpd.listen_tls),
              config.mtqpd.threads,
              make_settings(config, wall_clock()),
              queries_) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.add(signal);
  }
  tend_store();
}

void Daemon::run() {
  server_.start();
  net::asio::co_spawn(context_, handle_signals(), rethrow);
  net::asio::co_spawn(context_, tick(), rethrow);
  log::notice("", {{"mtqpd", "ready"},
                   {"", describe_listeners()},
                   {"threads", fmt::format("{}", server_.threads())}});
  systemd::notify_ready("serving");
  context_.run();
  server_.join();
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

// Once a second. The watchdog is told only while every worker moves.
net::Awaitable<void> Daemon::tick() {
  const bool watched = systemd::watchdog_interval().has_value();
  net::Timer timer(context_);
  std::uint64_t beats = 0;
  unsigned missed = 0;
  for (;;) {
    timer.expires_after(kTick);
    co_await timer.async_wait(net::kAwait);
    tend_store();
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

void Daemon::reload() {
  systemd::notify_reloading();
  const Expected<Config> config = load_();
  std::string problem;
  if (!config) {
    problem = config.error().detail;
  } else {
    problem = check_settings(*config, wall_clock());
  }
  if (problem.empty()) {
    server_.apply(make_settings(*config, wall_clock()));
    const bool moved = config->mtqpd.listen != config_.mtqpd.listen ||
                       config->mtqpd.listen_tls != config_.mtqpd.listen_tls ||
                       config->mtqpd.threads != config_.mtqpd.threads ||
                       config->store.path != config_.store.path;
    log::notice("", {{"mtqpd", "reloaded"}});
    if (moved) {
      log::warning("", {{"mtqpd", "addresses, threads and store.path need a restart"}});
    }
  } else {
    log::error("", {{"mtqpd", "not reloaded, the old configuration stays"}, {"reason", problem}});
  }
  systemd::notify_ready("serving");
}

std::string Daemon::describe_listeners() const {
  std::string text;
  for (const net::Tcp::endpoint& endpoint : server_.addresses()) {
    text += fmt::format("{}listening={}", text.empty() ? "" : ", ", format_endpoint(endpoint));
  }
  for (const net::Tcp::endpoint& endpoint : server_.tls_addresses()) {
    text += fmt::format("{}listening_tls={}", text.empty() ? "" : ", ", format_endpoint(endpoint));
  }
  return text;
}

}  // namespace mtrk::mtqpd
