#include "milter/gate/connection.h"

#include "common/base/log.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <utility>

// This file is the client's side, and what both sides share. The server's side is in
// milter/gate/upstream_side.cc.
namespace mtrk::gate {
namespace {

namespace asio = net::asio;
using Effect = smtp::ProxySession::Effect;

constexpr std::size_t kMaxDiscarded = std::size_t{256} * 1024;  // input after our last octets

}  // namespace

void GateConnections::sweep(net::Clock::time_point now) {
  for (GateConnection* connection : connections_) {
    if (now >= connection->deadline_) {
      connection->on_deadline();
    }
  }
}

void GateConnections::drain() {
  for (GateConnection* connection : connections_) {
    connection->draining_ = true;
    connection->leave_if_idle();
  }
}

void GateConnections::end() {
  for (GateConnection* connection : connections_) {
    connection->leave();
  }
}

net::Awaitable<void> GateConnection::Signal::wait() {
  awaited = true;
  co_await timer.async_wait(net::kAwait);
  awaited = false;
}

GateConnection::GateConnection(net::Socket client,
                               GateLimiter::Place place,
                               std::shared_ptr<const Settings> settings,
                               Server server,
                               net::Resolver& resolver,
                               GateConnections& connections)
    : client_(std::move(client)),
      place_(std::move(place)),
      settings_(std::move(settings)),
      server_(std::move(server)),
      resolver_(resolver),
      connections_(connections),
      executor_(client_.socket().get_executor()),
      client_signal_(executor_),
      upstream_signal_(executor_),
      gather_timer_(executor_) {
  allow(settings_->deadlines.idle);
  connections_.connections_.insert(this);
}

GateConnection::~GateConnection() {
  *alive_ = false;
  connections_.connections_.erase(this);
}

void GateConnection::allow(std::chrono::milliseconds time) {
  deadline_ = net::Clock::now() + time;
}

void GateConnection::allow_next() {
  const Deadlines& deadlines = settings_->deadlines;
  const bool one_of_several = outbound_.routed != nullptr && session_->is_connecting();
  allow(session_->closing() ? deadlines.closing
        : one_of_several    ? deadlines.greeting
                            : deadlines.idle);
}

// Says to the client that the time is over. If the client does not even take that, both sides are
// closed.
void GateConnection::on_deadline() {
  if (outbound_.routed != nullptr && session_->is_connecting() && !session_->closing() &&
      upstream_) {
    upstream_->close();  // this place is too slow; there may be another
    allow_next();
    return;
  }
  if (session_ == nullptr || session_->closing()) {
    client_.close();
    if (upstream_) {
      upstream_->close();
    }
    return;
  }
  session_->expire("nothing happened for too long");
  allow(settings_->deadlines.closing);
  wake();
}

void GateConnection::log_notes() const {
  for (const smtp::ProxySession::Note& note : session_->take_notes()) {
    if (note.what.empty()) {
      log::info(note.queue_id, {{"mtrk", note.fate}});
    } else {
      log::info(note.queue_id, {{"mtrk", note.fate}, {note.what, note.text}});
    }
  }
}

// A session that does not take what it was sent ends, too, but `closing` limits how long that
// takes.
void GateConnection::leave_if_idle() {
  if (session_ == nullptr || session_->is_idle() || !session_->greeted()) {
    leave();
  }
}

void GateConnection::leave() {
  if (session_ == nullptr) {
    client_.close();
    return;
  }
  if (!session_->closing()) {
    session_->shut_down();
    allow(settings_->deadlines.closing);
  }
  wake();
}

void GateConnection::wake() {
  client_signal_.notify();
  upstream_signal_.notify();
  // A task for the client's side cannot wait until the client says something.
  if (reading_client_ && (session_->has_effect() || draining_)) {
    client_.cancel();
  }
}

net::Awaitable<void> GateConnection::run(smtp::ProxySession& session, Outbound outbound) {
  session_ = &session;
  outbound_ = std::move(outbound);
  session.start();
  bool open = true;
  while (open) {
    if (!send_now()) {
      co_await send_all();
    }
    if (const std::optional<Effect> effect = session.take_effect()) {
      open = co_await perform(*effect);
      continue;
    }
    const bool behind =
        session.to_client().size() > kWindow || session.to_upstream().size() > kWindow;
    if (session.wants_client() && !behind) {
      co_await read_client();
    } else {
      co_await client_signal_.wait();
    }
    if (draining_) {
      leave_if_idle();
    }
  }
  co_await stop_upstream();
  co_await linger();
}

net::Awaitable<bool> GateConnection::perform(Effect effect) {
  switch (effect) {
    case Effect::connect_upstream:
      co_await start_upstream();
      co_return true;
    case Effect::offer_tls:
      // What has come in clear by now did not wait for our answer (THR-S1).
      if (client_.input_waiting()) {
        session_->refuse_tls();
      } else {
        session_->accept_tls();
      }
      co_return true;
    case Effect::start_tls:
      co_await handshake_client();
      co_return true;
    case Effect::look_up:
      outbound_.session->answer_look_up(
          co_await outbound_.look_up(outbound_.session->transaction()));
      co_return true;
    case Effect::choose_next_hop:
      co_await choose_next_hop();
      co_return true;
    case Effect::close:
      break;
  }
  co_return false;
}

net::Awaitable<void> GateConnection::read_client() {
  watch_gathering();
  reading_client_ = true;
  const auto [error, size] = co_await client_.read_some(asio::buffer(from_client_));
  reading_client_ = false;
  gather_timer_.cancel();
  if (size > 0) {
    allow(settings_->deadlines.idle);
    session_->from_client({from_client_.data(), size});
    log_notes();
  } else if (error && error != asio::error::operation_aborted) {
    session_->client_closed();
  } else if (error && !client_.socket().is_open()) {
    session_->client_closed();
  }
}

// Keeps MAIL back for its recipients, but not for long.
void GateConnection::watch_gathering() {
  if (outbound_.session == nullptr || !outbound_.session->gathers()) {
    return;
  }
  gather_timer_.expires_after(settings_->deadlines.gather);
  gather_timer_.async_wait([this, alive = alive_](const net::error_code& error) {
    if (!error && *alive) {
      outbound_.session->input_paused();
      wake();
    }
  });
}

net::Awaitable<void> GateConnection::handshake_client() {
  allow(settings_->deadlines.handshake);
  const net::error_code error = co_await client_.accept_tls(settings_->tls->implicit());
  if (error) {
    session_->client_closed();
    session_->expire("the TLS handshake failed: " + error.message());
    session_->to_client().clear();
    client_.close();
    co_return;
  }
  allow(settings_->deadlines.idle);
  session_->client_tls_started();
}

bool GateConnection::send_now() {
  const bool to_upstream = send_now(upstream_.get(), session_->to_upstream(), to_upstream_);
  return send_now(&client_, session_->to_client(), to_client_) && to_upstream;
}

bool GateConnection::send_now(net::Transport* to, std::string& from, const Outgoing& state) {
  if (from.empty() || state.busy || to == nullptr) {
    return true;
  }
  const std::size_t sent = to->send_now(from);
  if (sent < from.size()) {
    from.erase(0, sent);
    return false;
  }
  from.clear();
  allow_next();
  wake();
  return true;
}

net::Awaitable<void> GateConnection::send_all() {
  co_await send(upstream_.get(), session_->to_upstream(), to_upstream_);
  co_await send(&client_, session_->to_client(), to_client_);
}

// Only one coroutine at a time writes to a side; the others leave their octets to it.
net::Awaitable<void> GateConnection::send(net::Transport* to, std::string& from, Outgoing& state) {
  if (state.busy || to == nullptr) {
    co_return;
  }
  while (!from.empty()) {
    state.busy = true;
    state.octets.swap(from);
    const net::error_code error =
        co_await to->write(asio::buffer(state.octets.data(), state.octets.size()));
    state.octets.clear();
    state.busy = false;
    if (error) {
      from.clear();
      if (to == &client_) {
        session_->client_closed();
      }
      break;  // the coroutine that reads from the other side sees its end
    }
    allow_next();
    wake();
  }
}

// Closes the client's side so that our last octets are not lost: if it was closed with input
// unread, the connection would be reset.
net::Awaitable<void> GateConnection::linger() {
  allow(settings_->deadlines.closing);
  while (to_client_.busy) {
    co_await client_signal_.wait();
  }
  co_await send(&client_, session_->to_client(), to_client_);
  if (client_.is_tls()) {
    co_await client_.shutdown_tls();
  }
  net::error_code ignored;
  client_.socket().shutdown(net::Socket::shutdown_send, ignored);
  std::size_t discarded = 0;
  while (client_.socket().is_open() && discarded < kMaxDiscarded) {
    const auto [error, size] =
        co_await client_.socket().async_read_some(asio::buffer(from_client_), net::kAwait);
    if (error) {
      break;
    }
    discarded += size;
  }
  client_.close();
}

}  // namespace mtrk::gate
