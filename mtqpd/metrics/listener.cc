#include "mtqpd/metrics/listener.h"

#include "common/net/listener.h"
#include "mtqpd/metrics/metrics.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace mtrk::mtqpd {
namespace {

namespace asio = net::asio;

constexpr std::size_t kAtATime = 64;
constexpr std::chrono::seconds kLimit{5};
constexpr std::chrono::milliseconds kPause{200};

}  // namespace

MetricsListener::MetricsListener(asio::io_context& context,
                                 const net::Tcp::endpoint& at,
                                 Content content)
    : context_(context),
      acceptor_(net::open_listener(context, at, net::Sharing::none)),
      content_(std::move(content)) {}

void MetricsListener::start() {
  asio::co_spawn(context_, accept_all(), asio::detached);
}

net::Tcp::endpoint MetricsListener::address() const {
  net::error_code ignored;
  return acceptor_.local_endpoint(ignored);
}

net::Awaitable<void> MetricsListener::accept_all() {
  net::Timer pause(context_);
  for (;;) {
    auto [error, accepted] = co_await acceptor_.async_accept(net::kAwait);
    if (error) {
      pause.expires_after(kPause);
      co_await pause.async_wait(net::kAwait);
      continue;
    }
    net::error_code ignored;
    if (open_.size() == kAtATime) {
      open_.front()->close(ignored);  // its coroutine wakes up and ends
      open_.pop_front();
    }
    const auto socket = std::make_shared<net::Socket>(std::move(accepted));
    open_.push_back(socket);
    asio::co_spawn(context_, serve(socket),
                   [this, socket](const std::exception_ptr&) { open_.remove(socket); });
  }
}

net::Awaitable<void> MetricsListener::serve(std::shared_ptr<net::Socket> shared) {
  net::Timer limit(context_);
  limit.expires_after(kLimit);
  // The handler may run after the connection is gone, so it shares the socket.
  limit.async_wait([shared](const net::error_code& error) {
    net::error_code ignored;
    if (!error) {
      shared->close(ignored);
    }
  });
  std::string head;
  std::array<char, 1024> piece{};
  while (!http_head_ended(head)) {
    const auto [error, length] = co_await shared->async_read_some(asio::buffer(piece), net::kAwait);
    if (error) {
      co_return;
    }
    head.append(piece.data(), length);
  }
  const std::string answer = answer_http(head, content_());
  co_await asio::async_write(*shared, asio::buffer(answer), net::kAwait);
  // Input that is unread would reset the connection before the client has read the answer.
  net::error_code error;
  shared->shutdown(net::Socket::shutdown_send, error);
  for (std::size_t discarded = 0; !error && discarded < kMaxHttpHead;) {
    const auto [read_error, length] =
        co_await shared->async_read_some(asio::buffer(piece), net::kAwait);
    error = read_error;
    discarded += length;
  }
}

}  // namespace mtrk::mtqpd
