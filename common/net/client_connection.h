#pragma once

#include "common/net/peer_certificate.h"
#include "common/net/resolver.h"
#include "common/net/transport.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// A ClientConnection is the client's end of a connection and has one deadline at a time. `mtqp`
// uses it for MTQP and SMTP. All of it belongs to one io_context. No operation throws because of a
// peer or a network.
namespace mtrk::net {

struct NetFailure {
  // `tls` means that the handshake failed or the certificate does not verify.
  enum class Kind { network, tls };
  Kind kind;
  std::string detail;
};

class ClientConnection {
 public:
  explicit ClientConnection(Executor executor);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Sets the deadline for all operations to `limit` from now, and replaces the previous one. `end`
  // is a second limit, which later calls of expire_after() do not move.
  void expire_after(Clock::duration limit);
  void expire_at_latest(Clock::time_point end) { end_ = end; }

  // Tries the targets of `host` in order, and the addresses of each as RFC 8305 describes.
  [[nodiscard]] Awaitable<std::optional<NetFailure>> connect(Resolver& resolver,
                                                             std::string host,
                                                             std::optional<std::uint16_t> port);
  [[nodiscard]] Awaitable<std::optional<NetFailure>> send(std::string_view bytes);
  // Returns some bytes, valid until the next call. The end of the connection is a failure.
  [[nodiscard]] Awaitable<tl::expected<std::string_view, NetFailure>> receive();
  // Does the handshake. `name` is sent as SNI; if the context verifies, the certificate must
  // contain it.
  [[nodiscard]] Awaitable<std::optional<NetFailure>> start_tls(asio::ssl::context& context,
                                                               std::string name);
  // Returns whether the peer has sent unexpected bytes. A handshake must not begin then (THR-C1).
  [[nodiscard]] bool input_waiting() { return transport_ && transport_->input_waiting(); }
  [[nodiscard]] bool is_tls() const { return transport_ && transport_->is_tls(); }
  // Returns the address of the peer, once connected.
  [[nodiscard]] const std::optional<Tcp::endpoint>& peer() const { return peer_; }
  // Returns the host to which the connection was made: the target of an SRV record, or the host
  // that was given.
  [[nodiscard]] const std::string& target() const { return target_; }
  // Returns what the peer showed in its handshake.
  [[nodiscard]] PeerCertificates certificates() const;

 private:
  struct Watchdog;

  [[nodiscard]] NetFailure failure(std::string_view doing, const error_code& error) const;

  Executor executor_;
  std::unique_ptr<Transport> transport_;
  std::optional<Tcp::endpoint> peer_;
  std::string target_;
  std::shared_ptr<Watchdog> watchdog_;
  Clock::time_point end_ = Clock::time_point::max();
  std::array<char, 16 * 1024> buffer_{};
};

}  // namespace mtrk::net
