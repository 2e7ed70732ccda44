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

// The client's end of a connection with one deadline at a time: what `mtqp` speaks MTQP and SMTP
// over. All of it belongs to one io_context. No operation throws for what a peer or a network does.
namespace mtrk::net {

struct NetFailure {
  enum class Kind { network, tls };  // tls: no handshake, or a certificate that does not verify
  Kind kind;
  std::string detail;
};

class ClientConnection {
 public:
  explicit ClientConnection(Executor executor);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // From now on everything has to be done within `limit`; replaces the deadline before. `end` is a
  // second limit that later calls do not move.
  void expire_after(Clock::duration limit);
  void expire_at_latest(Clock::time_point end) { end_ = end; }

  // Tries the targets of `host` in order, the addresses of each as RFC 8305 says.
  [[nodiscard]] Awaitable<std::optional<NetFailure>> connect(Resolver& resolver,
                                                             std::string host,
                                                             std::optional<std::uint16_t> port);
  [[nodiscard]] Awaitable<std::optional<NetFailure>> send(std::string_view bytes);
  // Some bytes, valid until the next call; the peer's end of the connection is a failure.
  [[nodiscard]] Awaitable<tl::expected<std::string_view, NetFailure>> receive();
  // `name` goes into SNI and, if the context verifies, has to be in the certificate.
  [[nodiscard]] Awaitable<std::optional<NetFailure>> start_tls(asio::ssl::context& context,
                                                               std::string name);
  // True if the peer has sent what nobody asked for: no handshake may begin then (THR-C1).
  [[nodiscard]] bool input_waiting() { return transport_ && transport_->input_waiting(); }
  [[nodiscard]] bool is_tls() const { return transport_ && transport_->is_tls(); }
  // Who is at the other end: its address once connected, what it showed in a handshake.
  [[nodiscard]] const std::optional<Tcp::endpoint>& peer() const { return peer_; }
  // The host that was connected to: where an SRV record leads, or the one that was given.
  [[nodiscard]] const std::string& target() const { return target_; }
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
