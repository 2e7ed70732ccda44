#pragma once

#include "common/net/asio.h"
#include "common/net/tls_stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

namespace mtrk::net {

// A Transport is one TCP connection, which is plain at first and TLS after a handshake. It owns the
// socket, and belongs to one io_context and its thread. Deadlines are the caller's: cancel() and
// close() end all operations in progress with operation_aborted.
class Transport {
 public:
  using Io = std::tuple<error_code, std::size_t>;

  explicit Transport(Socket socket);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport() = default;

  [[nodiscard]] Awaitable<Io> read_some(asio::mutable_buffer buffer);
  [[nodiscard]] Awaitable<Io> write_some(asio::const_buffer buffer);
  // Writes all of `buffer`, or returns an error.
  [[nodiscard]] Awaitable<error_code> write(asio::const_buffer buffer);

  // Sends as much of `octets` as the kernel accepts now, without a turn of the event loop, and
  // returns the number of octets. Returns 0 within TLS, and also after an error, which write() will
  // then return.
  [[nodiscard]] std::size_t send_now(std::string_view octets) noexcept;

  // Does the handshake of the server with a context of ServerTls.
  [[nodiscard]] Awaitable<error_code> accept_tls(asio::ssl::context& context);
  // Does the handshake of the client. Sends `host` as SNI; if the context verifies, the certificate
  // must contain it.
  [[nodiscard]] Awaitable<error_code> connect_tls(asio::ssl::context& context, std::string host);

  // Sends close_notify and waits for that of the peer. Does nothing without TLS.
  [[nodiscard]] Awaitable<void> shutdown_tls();

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  [[nodiscard]] std::string tls_version() const;  // "TLSv1.3"; empty without TLS
  // Returns whether the socket holds octets that were not yet read; those in the buffers of TLS do
  // not count.
  [[nodiscard]] bool input_waiting();
  [[nodiscard]] Socket& socket() { return socket_; }
  // Returns the OpenSSL session, for questions about the certificate, or null without TLS.
  [[nodiscard]] SSL* native_tls() { return tls_ ? tls_->native() : nullptr; }
  void cancel() noexcept;
  void close() noexcept;

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace mtrk::net
