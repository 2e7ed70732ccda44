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

// One TCP connection, plain at first, TLS after a handshake. Owns the socket. Belongs to one
// io_context and its thread; neither copied nor moved. Deadlines are the caller's: cancel() or
// close() ends whatever is under way with operation_aborted.
class Transport {
 public:
  using Io = std::tuple<error_code, std::size_t>;

  explicit Transport(Socket socket);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport() = default;

  [[nodiscard]] Awaitable<Io> read_some(asio::mutable_buffer buffer);
  [[nodiscard]] Awaitable<Io> write_some(asio::const_buffer buffer);
  // All of `buffer`, or the error.
  [[nodiscard]] Awaitable<error_code> write(asio::const_buffer buffer);

  // As much of `octets` as the kernel takes now, without a turn of the event loop; 0 within TLS,
  // and also when it failed, which write() then meets again.
  [[nodiscard]] std::size_t send_now(std::string_view octets) noexcept;

  // The server's handshake with a context of ServerTls.
  [[nodiscard]] Awaitable<error_code> accept_tls(asio::ssl::context& context);
  // The client's: sends `host` as SNI and, if the context verifies, wants it in the certificate.
  [[nodiscard]] Awaitable<error_code> connect_tls(asio::ssl::context& context, std::string host);

  // Says close_notify and waits for the peer's; plain: nothing.
  [[nodiscard]] Awaitable<void> shutdown_tls();

  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  [[nodiscard]] std::string tls_version() const;  // "TLSv1.3"; empty without TLS
  // Octets the peer has sent that nobody has read: of the socket, not of TLS.
  [[nodiscard]] bool input_waiting();
  [[nodiscard]] Socket& socket() { return socket_; }
  // The OpenSSL session for certificate questions; null without TLS.
  [[nodiscard]] SSL* native_tls() { return tls_ ? tls_->native() : nullptr; }
  void cancel() noexcept;
  void close() noexcept;

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace mtrk::net
