#pragma once

#include "common/mtqp/client_session.h"
#include "common/net/client_connection.h"

#include <boost/asio/ssl/context.hpp>

#include <functional>

// Asks one MTQP server about one message: connects, reads the greeting, starts TLS as wanted,
// TRACK, QUIT. Drives mtqp::ClientSession; mtqp and chaining share it.
namespace mtrk::net {

struct MtqpClientOptions {
  mtqp::TlsUse tls = mtqp::TlsUse::if_offered;
  // Called when a handshake begins, so that nobody loads certificates for nothing; needed unless
  // tls is never. May throw TlsError.
  std::function<asio::ssl::context&()> tls_context;
  std::string tls_name;                              // instead of the host's name; may be empty
  Clock::duration response = mtqp::kClientResponse;  // for each whole reply (MTQP-2.5-06)
  Clock::duration connect = std::chrono::seconds(30);
  Clock::time_point end = Clock::time_point::max();  // of everything
  // What is said, for -v: the direction and the bytes, the secret masked. in_clear comes, with no
  // bytes, before a TRACK that no TLS protects (MTQP-11-01).
  enum class Direction { sent, received, in_clear };
  std::function<void(Direction, std::string_view)> trace;
};

struct MtqpAnswer {
  mtqp::Reply reply;
  bool tls = false;
};
struct MtqpFailure {
  enum class Kind {
    network,
    tls,       // no TLS where it was required, a failed handshake, a bad certificate
    protocol,  // not an MTQP server, or not RFC 3887
  };
  Kind kind;
  std::string detail;
};

// The answer to TRACK may be negative: see its status and info. `envelope_id` and `secret` have to
// outlive the coroutine.
[[nodiscard]] Awaitable<tl::expected<MtqpAnswer, MtqpFailure>> track(
    Resolver& resolver,
    std::string host,
    std::optional<std::uint16_t> port,
    const EnvelopeId& envelope_id,
    const TrackingSecret& secret,
    const MtqpClientOptions& options);

// The command with its last argument replaced, if it is TRACK: what may be shown or logged.
[[nodiscard]] std::string mask_secret(std::string_view command);

}  // namespace mtrk::net
