// The server's side of a connection of the gate.
#include "common/net/listener.h"
#include "milter/gate_connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace mtrk::gate {

namespace asio = net::asio;

namespace {

GateTag tag_of(const std::string& host, const net::Tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return {false, host == address ? "" : host, address, std::to_string(endpoint.port())};
}

}  // namespace

net::Awaitable<void> GateConnection::start_upstream() {
  co_await stop_upstream();
  upstream_abandoned_ = false;
  upstream_runs_ = true;
  asio::co_spawn(executor_, serve_upstream(), [this](const std::exception_ptr& failure) {
    upstream_runs_ = false;
    if (failure) {
      session_->upstream_failed("out of memory, or a mistake of ours");
    }
    wake();
  });
}

net::Awaitable<void> GateConnection::stop_upstream() {
  upstream_abandoned_ = true;
  if (upstream_) {
    upstream_->close();
  }
  while (upstream_runs_) {
    upstream_signal_.notify();
    co_await client_signal_.wait();
  }
  upstream_.reset();
}

net::Awaitable<void> GateConnection::serve_upstream() {
  if (!co_await connect()) {
    co_return;
  }
  session_->upstream_connected();
  co_await send_all();
  while (!upstream_abandoned_ && !session_->closing()) {
    if (session_->to_client().size() > kWindow) {
      co_await upstream_signal_.wait();
      continue;
    }
    const auto [error, size] = co_await upstream_->read_some(asio::buffer(from_upstream_));
    if (upstream_abandoned_) {
      co_return;
    }
    if (error) {
      session_->upstream_closed();
      break;
    }
    allow(settings_->deadlines.idle);
    session_->from_upstream({from_upstream_.data(), size});
    co_await send_all();
    if (!upstream_abandoned_ && session_->take_upstream_tls() && !co_await handshake_upstream()) {
      break;
    }
    wake();
  }
}

// Tries the addresses in turn.
net::Awaitable<bool> GateConnection::connect() {
  allow(settings_->deadlines.connect);
  const auto endpoints = co_await resolver_.resolve(server_.at.host, server_.at.port);
  std::string why = endpoints ? "no address" : endpoints.error();
  if (endpoints) {
    for (const net::Tcp::endpoint& endpoint : *endpoints) {
      if (upstream_abandoned_ || session_->closing()) {
        co_return false;
      }
      allow(settings_->deadlines.connect);
      net::Socket socket(executor_);
      net::error_code ignored;
      socket.open(endpoint.protocol(), ignored);
      upstream_ = std::make_unique<net::Transport>(std::move(socket));
      const auto [error] = co_await upstream_->socket().async_connect(endpoint, net::kAwait);
      if (upstream_abandoned_) {
        co_return false;
      }
      if (!error) {
        net::tune(upstream_->socket());
        if (outbound_ != nullptr) {
          outbound_->set_next_hop(tag_of(server_.at.host, endpoint));
        }
        allow(settings_->deadlines.idle);
        co_return true;
      }
      why = error.message();
      upstream_->close();
    }
  }
  if (!upstream_abandoned_) {
    session_->upstream_failed("cannot connect to " + server_.at.host + ": " + why);
  }
  co_return false;
}

net::Awaitable<bool> GateConnection::handshake_upstream() {
  allow(settings_->deadlines.handshake);
  if (upstream_->input_waiting()) {  // C1: nobody asked for it
    session_->upstream_failed("input behind the answer to STARTTLS");
    co_return false;
  }
  const net::error_code error = co_await upstream_->connect_tls(*server_.tls, server_.at.host);
  if (upstream_abandoned_) {
    co_return false;
  }
  if (error) {
    session_->upstream_failed("the TLS handshake with " + server_.at.host +
                              " failed: " + error.message());
    co_return false;
  }
  allow(settings_->deadlines.idle);
  session_->upstream_tls_started();
  co_await send_all();
  co_return true;
}

}  // namespace mtrk::gate
