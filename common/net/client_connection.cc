#include "common/net/client_connection.h"

#include "common/base/ascii.h"
#include "common/net/happy_eyeballs.h"

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <utility>

namespace mtrk::net {

// A Watchdog ends the current operation at the deadline. It is shared with the timer's handler,
// which may still run after the connection is gone.
struct ClientConnection::Watchdog : std::enable_shared_from_this<Watchdog> {
  explicit Watchdog(const Executor& executor) : timer(executor) {}

  void arm(Clock::time_point at) {
    timer.expires_at(at);  // cancels the previous wait
    timer.async_wait([self = shared_from_this(), at](const error_code& error) {
      if (!error && at == self->timer.expiry()) {
        self->bark();
      }
    });
  }
  void bark() {
    expired = true;
    if (end_operation) {
      end_operation();
    }
  }

  Timer timer;
  bool expired = false;
  std::function<void()> end_operation;
};

ClientConnection::ClientConnection(Executor executor)
    : executor_(std::move(executor)), watchdog_(std::make_shared<Watchdog>(executor_)) {}

ClientConnection::~ClientConnection() {
  watchdog_->end_operation = nullptr;
  watchdog_->timer.cancel();
}

void ClientConnection::expire_after(Clock::duration limit) {
  if (!watchdog_->expired) {
    watchdog_->arm(std::min(Clock::now() + limit, end_));
  }
}

NetFailure ClientConnection::failure(std::string_view doing, const error_code& error) const {
  std::string detail(doing);
  if (watchdog_->expired || error == asio::error::timed_out) {
    detail += ": no answer in time";
  } else if (error == asio::error::eof) {
    detail += ": the server closed the connection";
  } else {
    detail += ": " + error.message();
  }
  return {NetFailure::Kind::network, std::move(detail)};
}

Awaitable<std::optional<NetFailure>> ClientConnection::connect(Resolver& resolver,
                                                               std::string host,
                                                               std::optional<std::uint16_t> port) {
  tl::expected<Places, std::string> targets = co_await resolver.resolve_targets(host, port);
  if (!targets) {
    co_return NetFailure{NetFailure::Kind::network, std::move(targets.error())};
  }
  error_code last = asio::error::host_not_found;
  for (std::size_t i = 0; i < targets->size() && !watchdog_->expired; ++i) {
    // Each target gets its share of the time, so that one that drops packets does not use it up.
    const Clock::time_point now = Clock::now();
    const Clock::duration share =
        (watchdog_->timer.expiry() - now) / static_cast<Clock::duration::rep>(targets->size() - i);
    auto connected = co_await connect_first(std::move((*targets)[i].endpoints), now + share);
    if (connected && !watchdog_->expired) {
      peer_ = connected->endpoint;
      target_ = std::move((*targets)[i].host);
      transport_ = std::make_unique<Transport>(std::move(connected->socket));
      watchdog_->end_operation = [this] { transport_->close(); };
      co_return std::nullopt;
    }
    last = connected ? error_code(asio::error::timed_out) : connected.error();
  }
  co_return failure("cannot connect to " + escape_for_people(host, 253), last);
}

Awaitable<std::optional<NetFailure>> ClientConnection::send(std::string_view bytes) {
  const error_code error = co_await transport_->write(asio::buffer(bytes.data(), bytes.size()));
  if (error) {
    co_return failure("sending failed", error);
  }
  co_return std::nullopt;
}

Awaitable<tl::expected<std::string_view, NetFailure>> ClientConnection::receive() {
  const auto [error, size] = co_await transport_->read_some(asio::buffer(buffer_));
  if (error) {
    co_return tl::make_unexpected(failure("reading failed", error));
  }
  co_return std::string_view(buffer_.data(), size);
}

Awaitable<std::optional<NetFailure>> ClientConnection::start_tls(asio::ssl::context& context,
                                                                 std::string name) {
  const error_code error = co_await transport_->connect_tls(context, std::move(name));
  if (!error) {
    co_return std::nullopt;
  }
  NetFailure result = failure("the TLS handshake failed", error);
  SSL* tls = transport_->native_tls();
  const long verdict = tls == nullptr ? X509_V_OK : SSL_get_verify_result(tls);
  if (verdict != X509_V_OK) {
    result.detail = std::string("the server's certificate is not good: ") +
                    X509_verify_cert_error_string(verdict);
  }
  if (!watchdog_->expired) {
    result.kind = NetFailure::Kind::tls;
  }
  co_return result;
}

PeerCertificates ClientConnection::certificates() const {
  return describe_peer(transport_ ? transport_->native_tls() : nullptr);
}

}  // namespace mtrk::net
