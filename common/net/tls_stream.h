#pragma once

#include "common/net/asio.h"

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

namespace mtrk::net {

// A TlsStream is TLS over a connected socket. OpenSSL itself reads and writes the socket and
// releases its buffers when they are empty, so an idle connection needs a fifth of the memory of
// asio::ssl::stream (tests/bench/run-idle). A peer that sends no data can cause only a bounded
// amount of work: 32 key updates (THR-S10). It belongs to the thread of the socket. At any time
// there may be one read or one write, but not both.
class TlsStream {
 public:
  // Owns neither argument; `socket` must outlive it. Throws std::bad_alloc.
  TlsStream(Socket& socket, SSL_CTX* context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  using Io = std::tuple<error_code, std::size_t>;
  [[nodiscard]] Awaitable<error_code> accept();
  // Does the handshake of the client. Set the name and the host flags on native() first.
  [[nodiscard]] Awaitable<error_code> connect();
  // At the end of the connection the error is asio::error::eof after a close_notify, and
  // stream_truncated without one.
  [[nodiscard]] Awaitable<Io> read_some(asio::mutable_buffer buffer);
  [[nodiscard]] Awaitable<Io> write_some(asio::const_buffer buffer);
  // Sends close_notify and waits for that of the peer.
  [[nodiscard]] Awaitable<error_code> shutdown();

  [[nodiscard]] SSL* native() const { return ssl_.get(); }

 private:
  struct Link;  // data shared by the BIO and the message callback
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  // Calls `step`, which returns what SSL_read() and the like return, until it is done or has
  // failed, and waits for the socket in between.
  template <typename Step>
  [[nodiscard]] Awaitable<Io> drive(Step step);

  Socket& socket_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<SSL, Free> ssl_;  // uses link_
};

}  // namespace mtrk::net
