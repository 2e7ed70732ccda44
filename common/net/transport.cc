#include "common/net/transport.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

namespace mtrk::net {

Transport::Transport(Socket socket) : socket_(std::move(socket)) {}

Awaitable<Transport::Io> Transport::read_some(asio::mutable_buffer buffer) {
  return tls_ ? tls_->async_read_some(buffer, kAwait) : socket_.async_read_some(buffer, kAwait);
}

Awaitable<Transport::Io> Transport::write_some(asio::const_buffer buffer) {
  return tls_ ? tls_->async_write_some(buffer, kAwait) : socket_.async_write_some(buffer, kAwait);
}

Awaitable<error_code> Transport::write(asio::const_buffer buffer) {
  while (buffer.size() > 0) {
    const auto [error, written] = co_await write_some(buffer);
    if (error) {
      co_return error;
    }
    buffer += written;
  }
  co_return error_code();
}

Awaitable<error_code> Transport::accept_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, context);
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
  co_return error;
}

Awaitable<error_code> Transport::connect_tls(asio::ssl::context& context, std::string host) {
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, context);
  SSL* ssl = tls_->native_handle();
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  // SSL_set_tlsext_host_name() without the old-style cast in its macro.
  const bool named =
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1 &&
      SSL_set1_host(ssl, host.c_str()) == 1;
  if (!named) {
    co_return error_code(boost::system::errc::not_enough_memory, boost::system::generic_category());
  }
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  co_return error;
}

Awaitable<void> Transport::shutdown_tls() {
  if (tls_) {
    co_await tls_->async_shutdown(kAwait);
  }
}

std::string Transport::tls_version() const {
  return tls_ ? SSL_get_version(tls_->native_handle()) : "";
}

bool Transport::input_waiting() {
  error_code error;
  return socket_.available(error) > 0;
}

void Transport::cancel() noexcept {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace mtrk::net
