#pragma once

#include "common/net/asio.h"

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

namespace mtrk::net {

// TLS over a connected socket. OpenSSL reads and writes the socket itself and gives its buffers
// back when they are empty, so that an idle connection costs a fifth of what asio::ssl::stream
// keeps (tests/bench/run-idle). What a peer may do without sending data is bounded: 32 key updates
// (THR-S10). Belongs to the socket's thread; one reader and no writer beside it, or the other way
// round.
class TlsStream {
 public:
  // Neither owns `socket`, which has to outlive it. Fails: std::bad_alloc.
  TlsStream(Socket& socket, SSL_CTX* context);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  using Io = std::tuple<error_code, std::size_t>;
  [[nodiscard]] Awaitable<error_code> accept();
  [[nodiscard]] Awaitable<error_code> connect();  // name and host flags are set on native() before
  // The end of the connection is asio::error::eof after close_notify, and stream_truncated without.
  [[nodiscard]] Awaitable<Io> read_some(asio::mutable_buffer buffer);
  [[nodiscard]] Awaitable<Io> write_some(asio::const_buffer buffer);
  // Says close_notify and waits for the peer's.
  [[nodiscard]] Awaitable<error_code> shutdown();

  [[nodiscard]] SSL* native() const { return ssl_.get(); }

 private:
  struct Link;  // what the BIO and the message callback share
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  // Calls `step` (returning what SSL_read() and the like do) until it is done or failed, and waits
  // for the socket in between.
  template <typename Step>
  [[nodiscard]] Awaitable<Io> drive(Step step);

  Socket& socket_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<SSL, Free> ssl_;  // uses link_
};

}  // namespace mtrk::net
