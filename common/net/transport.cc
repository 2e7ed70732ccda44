#include "common/net/transport.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <sys/socket.h>

#include <utility>

namespace mtrk::net {

Transport::Transport(Socket socket) : socket_(std::move(socket)) {}

Awaitable<Transport::Io> Transport::read_some(asio::mutable_buffer buffer) {
  return tls_ ? tls_->read_some(buffer) : socket_.async_read_some(buffer, kAwait);
}

std::size_t Transport::send_now(std::string_view octets) noexcept {
  if (tls_) {
    return 0;
  }
  const ssize_t sent =
      ::send(socket_.native_handle(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// What the kernel accepts at once needs no turn of the event loop; this is true of nearly every
// reply.
Awaitable<Transport::Io> Transport::write_some(asio::const_buffer buffer) {
  if (tls_) {
    co_return co_await tls_->write_some(buffer);
  }
  const std::size_t sent = send_now({static_cast<const char*>(buffer.data()), buffer.size()});
  if (sent > 0) {
    co_return Io(error_code(), sent);
  }
  co_return co_await socket_.async_write_some(buffer, kAwait);  // waits, or returns the error
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
  tls_ = std::make_unique<TlsStream>(socket_, context.native_handle());
  return tls_->accept();
}

Awaitable<error_code> Transport::connect_tls(asio::ssl::context& context, std::string host) {
  tls_ = std::make_unique<TlsStream>(socket_, context.native_handle());
  SSL* ssl = tls_->native();
  SSL_set_hostflags(ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  // This is SSL_set_tlsext_host_name() without the old-style cast in its macro.
  const bool named =
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1 &&
      SSL_set1_host(ssl, host.c_str()) == 1;
  if (!named) {
    co_return error_code(boost::system::errc::not_enough_memory, boost::system::generic_category());
  }
  co_return co_await tls_->connect();
}

Awaitable<void> Transport::shutdown_tls() {
  if (tls_) {
    static_cast<void>(co_await tls_->shutdown());
  }
}

std::string Transport::tls_version() const {
  return tls_ ? SSL_get_version(tls_->native()) : "";
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
