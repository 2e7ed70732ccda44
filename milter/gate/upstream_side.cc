// This file is the server's side of a connection of the gate.
#include "common/net/listener.h"
#include "common/net/unix_socket.h"
#include "milter/gate/connection.h"
#include "milter/gate/next_hops.h"

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

net::Awaitable<void> GateConnection::choose_next_hop() {
  allow(settings_->deadlines.choose);
  no_place_after_ = net::Clock::now() + settings_->deadlines.choose;
  smtp::GateRoutedSession& routed = *outbound_.routed;
  auto places = co_await find_places(settings_, routed.route(), routed.domain());
  if (places) {
    routed.take_places(std::move(*places));
  } else {
    routed.take_no_place(places.error());
  }
}

net::Awaitable<void> GateConnection::start_upstream() {
  co_await stop_upstream();
  if (outbound_.routed != nullptr && net::Clock::now() > no_place_after_) {
    outbound_.routed->try_no_more();
  }
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
  while (!upstream_abandoned_ && !session_->closing() && session_->uses_upstream()) {
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
    session_->from_upstream({from_upstream_.data(), size});
    log_notes();
    allow_next();
    if (!send_now()) {
      co_await send_all();
    }
    if (!upstream_abandoned_ && session_->take_upstream_tls() && !co_await handshake_upstream()) {
      break;
    }
    wake();
  }
  if (!upstream_abandoned_ && !session_->uses_upstream()) {
    upstream_->close();
  }
}

net::Awaitable<GateConnection::Destination> GateConnection::destination() {
  if (outbound_.routed != nullptr) {
    const smtp::GateRoutedSession::Place& place = outbound_.routed->place();
    net::error_code error;
    const asio::ip::address address = asio::ip::make_address(place.address, error);
    co_return Destination{
        place.host.empty() ? place.address : place.host, {{address, place.port}}, error.message()};
  }
  auto endpoints = co_await resolver_.resolve(server_.at.host, server_.at.port);
  if (!endpoints) {
    co_return Destination{server_.at.host, {}, std::move(endpoints.error())};
  }
  co_return Destination{server_.at.host, std::move(*endpoints), "no address"};
}

// Tries the addresses in turn.
net::Awaitable<bool> GateConnection::connect() {
  allow(settings_->deadlines.connect);
  if (!server_.path.empty()) {
    co_return connect_to_path();
  }
  const Destination to = co_await destination();
  std::string why = to.trouble;
  for (const net::Tcp::endpoint& endpoint : to.endpoints) {
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
      if (outbound_.session != nullptr && outbound_.routed == nullptr) {
        outbound_.session->set_next_hop(tag_of(to.name, endpoint));
      }
      allow_next();
      co_return true;
    }
    why = error.message();
    upstream_->close();
  }
  if (!upstream_abandoned_) {
    session_->upstream_failed("cannot connect to " + to.name + ": " + why);
  }
  co_return false;
}

// The socket is on this host, so the next hop is reported as this host.
bool GateConnection::connect_to_path() {
  auto socket = net::connect_unix(executor_, server_.path);
  if (!socket) {
    session_->upstream_failed("cannot connect to " + server_.path + ": " +
                              socket.error().message());
    return false;
  }
  upstream_ = std::make_unique<net::Transport>(std::move(*socket));
  if (outbound_.session != nullptr) {
    outbound_.session->set_next_hop({false, settings_->hostname, "unix", "0"});
  }
  allow_next();
  return true;
}

net::Awaitable<bool> GateConnection::handshake_upstream() {
  allow(settings_->deadlines.handshake);
  if (upstream_->input_waiting()) {  // THR-C1: the server sent something unasked
    session_->upstream_failed("input behind the answer to STARTTLS");
    co_return false;
  }
  asio::ssl::context* context = server_.tls.get();
  std::string name = server_.at.host;
  if (outbound_.routed != nullptr) {
    const smtp::GateRoutedSession::Place& place = outbound_.routed->place();
    const smtp::TlsUse use = outbound_.routed->route().tls;
    context = settings_->client_tls(use).get();
    name = use == smtp::TlsUse::required ? place.certificate_name
           : place.host.empty()          ? place.address
                                         : place.host;
  }
  const net::error_code error = co_await upstream_->connect_tls(*context, name);
  if (upstream_abandoned_) {
    co_return false;
  }
  if (error) {
    session_->upstream_failed("the TLS handshake with " + name + " failed: " + error.message());
    co_return false;
  }
  session_->upstream_tls_started();
  allow_next();
  co_await send_all();
  co_return true;
}

}  // namespace mtrk::gate
