#include "milter/gate/daemon.h"

#include "common/base/log.h"
#include "common/base/systemd.h"
#include "common/config/gate_socket.h"
#include "common/net/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <stdexcept>
#include <utility>

namespace mtrk::gate {
namespace {

constexpr std::chrono::seconds kDrainLimit{20};
constexpr std::chrono::seconds kLastWord{1};  // for the sessions that are left then
constexpr std::chrono::milliseconds kDrainPoll{20};

std::vector<net::Tcp::endpoint> to_endpoints(const std::vector<std::string>& list) {
  std::vector<net::Tcp::endpoint> endpoints;
  for (const std::string& text : list) {
    const Expected<net::Tcp::endpoint> endpoint = net::parse_endpoint(text);
    if (!endpoint) {
      throw std::invalid_argument(endpoint.error().detail);  // check_settings() has refused this
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

std::string describe(const GateServer::Addresses& addresses) {
  std::string text;
  for (const net::Tcp::endpoint& endpoint : addresses.inbound) {
    text += fmt::format("{}inbound={}", text.empty() ? "" : ", ", net::format_endpoint(endpoint));
  }
  for (const net::Tcp::endpoint& endpoint : addresses.outbound) {
    text += fmt::format("{}outbound={}", text.empty() ? "" : ", ", net::format_endpoint(endpoint));
  }
  return text;
}

}  // namespace

GateDaemon::GateDaemon(const Config& config, LoadConfig load)
    : load_(std::move(load)),
      config_(config),
      server_({to_endpoints(config.gate.inbound.listen), to_endpoints(config.gate.outbound.listen)},
              make_settings(config)) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.add(signal);
  }
}

void GateDaemon::run() {
  server_.start();
  net::asio::co_spawn(server_.context(), handle_signals(), rethrow);
  if (systemd::watchdog_interval()) {
    net::asio::co_spawn(server_.context(), watchdog(), rethrow);
  }
  log::notice("", {{"mtrk-gate", "ready"}, {"", describe(server_.addresses())}});
  systemd::notify_ready("serving");
  server_.context().run();
}

net::Awaitable<void> GateDaemon::handle_signals() {
  for (;;) {
    const auto [error, signal] = co_await signals_.async_wait(net::kAwait);
    if (error) {
      co_return;
    }
    if (signal != SIGHUP) {
      break;
    }
    reload();
  }
  co_await shut_down();
}

net::Awaitable<void> GateDaemon::watchdog() {
  net::Timer timer(server_.context());
  for (;;) {
    systemd::notify_watchdog();
    timer.expires_after(*systemd::watchdog_interval());
    co_await timer.async_wait(net::kAwait);
  }
}

net::Awaitable<void> GateDaemon::shut_down() {
  systemd::notify_stopping();
  log::notice(
      "", {{"mtrk-gate", "stopping"}, {"connections", fmt::format("{}", server_.connections())}});
  server_.drain();
  co_await wait_for_sessions(kDrainLimit);
  if (server_.connections() > 0) {
    log::warning("", {{"mtrk-gate", "stopped with connections open"},
                      {"connections", fmt::format("{}", server_.connections())}});
    server_.end();
    co_await wait_for_sessions(kLastWord);
  }
  server_.context().stop();
}

net::Awaitable<void> GateDaemon::wait_for_sessions(std::chrono::seconds limit) {
  net::Timer poll(server_.context());
  const net::Clock::time_point latest = net::Clock::now() + limit;
  while (server_.connections() > 0 && net::Clock::now() < latest) {
    poll.expires_after(kDrainPoll);
    co_await poll.async_wait(net::kAwait);
  }
}

void GateDaemon::reload() {
  systemd::notify_reloading();
  const Expected<Config> config = load_();
  const std::string problem = config ? check_settings(*config) : config.error().detail;
  if (problem.empty()) {
    server_.apply(make_settings(*config));
    log::notice("", {{"mtrk-gate", "reloaded"}});
    if (config->gate.inbound.listen != config_.gate.inbound.listen ||
        config->gate.outbound.listen != config_.gate.outbound.listen ||
        gate_socket_path(*config) != gate_socket_path(config_)) {
      log::warning("", {{"mtrk-gate", "listen and milter.gate_socket need a restart"}});
    }
  } else {
    log::error("",
               {{"mtrk-gate", "not reloaded, the old configuration stays"}, {"reason", problem}});
  }
  systemd::notify_ready("serving");
}

}  // namespace mtrk::gate
