#include "mtqpd/server/worker.h"

#include "common/base/log.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace mtrk::mtqpd {
namespace {

namespace asio = net::asio;

constexpr std::string_view kFull = "-TEMP/MTQP/unavailable too many connections\r\n";
constexpr std::chrono::milliseconds kAcceptPause{200};

// No exception should leave a coroutine of ours. If one does (no memory), the connection ends and
// the others go on.
void report(const std::exception_ptr& failure) {
  if (!failure) {
    return;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    log::error("", {{"mtqpd", "exception in a connection"}, {"reason", error.what()}});
  }
}

net::Awaitable<void> serve(net::Socket socket,
                           net::Tcp::endpoint peer,
                           AddressLimiter::Place place,
                           Connection::Starts starts,
                           std::shared_ptr<const Settings> settings,
                           const QueryService* queries,
                           ConnectionSet* set) {
  Connection connection(std::move(socket), peer, std::move(place), starts, std::move(settings),
                        *queries, *set);
  co_await connection.run();
}

// Sends the whole negative greeting or nothing; a fresh socket has room for it.
void turn_away(net::Socket& socket, Connection::Starts starts) {
  net::error_code ignored;
  socket.non_blocking(true, ignored);
  if (starts == Connection::Starts::plain) {
    static_cast<void>(socket.send(asio::buffer(kFull), 0, ignored));
  }
  socket.shutdown(net::Socket::shutdown_both, ignored);
}

}  // namespace

Worker::Worker(std::shared_ptr<const Settings> settings,
               const QueryService& queries,
               AddressLimiter& limiter)
    : settings_(std::move(settings)), queries_(queries), limiter_(limiter) {}

net::Tcp::endpoint Worker::listen(const net::Tcp::endpoint& endpoint,
                                  net::Sharing sharing,
                                  Connection::Starts starts) {
  listeners_.push_back({net::open_listener(context_, endpoint, sharing), starts});
  return listeners_.back().acceptor.local_endpoint();
}

net::Tcp::endpoint Worker::adopt(int fd, Connection::Starts starts) {
  listeners_.push_back({net::adopt_listener(context_, fd), starts});
  return listeners_.back().acceptor.local_endpoint();
}

void Worker::run() {
  for (Listener& listener : listeners_) {
    asio::co_spawn(context_, accept_all(listener), report);
  }
  asio::co_spawn(context_, sweep(), report);
  context_.run();
}

void Worker::apply(std::shared_ptr<const Settings> settings) {
  asio::post(context_, [this, settings = std::move(settings)] { settings_ = settings; });
}

void Worker::drain() {
  asio::post(context_, [this] {
    for (Listener& listener : listeners_) {
      net::error_code ignored;
      listener.acceptor.close(ignored);
    }
    connections_.drain();
    sweep_timer_.cancel();
  });
}

net::Awaitable<void> Worker::accept_all(Listener& listener) {
  net::Timer pause(context_);
  while (listener.acceptor.is_open()) {
    auto [error, socket] = co_await listener.acceptor.async_accept(net::kAwait);
    if (!error) {
      admit(std::move(socket), listener.starts);
    } else if (error != asio::error::operation_aborted &&
               error != asio::error::connection_aborted) {
      // There are no descriptors or there is no memory: trying again at once would spin (THR-D6).
      log::warning("", {{"mtqpd", "cannot accept"}, {"reason", error.message()}});
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(net::kAwait);
    }
  }
}

void Worker::admit(net::Socket socket, Connection::Starts starts) {
  net::error_code error;
  const net::Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) {
    return;  // it was reset already (THR-D10)
  }
  AddressLimiter::Place place =
      limiter_.enter(peer.address(), settings_->limits, net::Clock::now());
  if (limiter_.connections() > settings_->limits.connections - settings_->limits.connections / 10) {
    connections_.evict_one();
  }
  if (!place || (starts == Connection::Starts::with_tls && !settings_->tls)) {
    connections_.counters().add(place.refusal() == AddressLimiter::Refusal::penalty
                                    ? ServerCounters::penalised
                                    : ServerCounters::turned_away);
    turn_away(socket, starts);
    return;
  }
  net::tune(socket);
  asio::co_spawn(
      context_,
      serve(std::move(socket), peer, std::move(place), starts, settings_, &queries_, &connections_),
      report);
}

net::Awaitable<void> Worker::sweep() {
  while (!connections_.draining() || !connections_.empty()) {
    beats_.fetch_add(1, std::memory_order_relaxed);
    if (const std::uint64_t lines = connections_.log_budget().refill(); lines != 0) {
      log::info("", {{"mtqpd", "log lines left out"}, {"lines", std::to_string(lines)}});
    }
    connections_.sweep(net::Clock::now());
    sweep_timer_.expires_after(settings_->deadlines.sweep);
    co_await sweep_timer_.async_wait(net::kAwait);
  }
}

}  // namespace mtrk::mtqpd
