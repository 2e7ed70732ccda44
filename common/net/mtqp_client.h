#pragma once

#include "common/mtqp/client_session.h"
#include "common/net/client_connection.h"

#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <functional>

// track() asks one MTQP server about one message: it connects, reads the greeting, starts TLS as
// wanted, and sends TRACK and QUIT. It drives mtqp::ClientSession. The program mtqp and chaining
// share it.
namespace mtrk::net {

// An MtqpPeer is what is known of a server before TRACK is sent.
struct MtqpPeer {
  std::optional<Tcp::endpoint> endpoint;
  mtqp::Greeting greeting;  // the first one; with STARTTLS that is the one before TLS
  bool tls = false;
  PeerCertificates certificates;  // from the TLS handshake
};

struct MtqpClientOptions {
  mtqp::TlsUse tls = mtqp::TlsUse::if_offered;
  bool implicit_tls = false;  // The handshake comes before the greeting; `tls` is then ignored.
  // Called when a handshake begins, so that certificates are loaded only if needed. It is required
  // unless `tls` is `never`, and may throw TlsError.
  std::function<asio::ssl::context&()> tls_context;
  std::string tls_name;  // instead of the host's name; may be empty
  // The name of the SRV target is accepted as well, because the DNS is trusted.
  bool srv_names = false;
  Clock::duration response = mtqp::kClientResponse;  // for each whole reply (MTQP-2.5-06)
  std::optional<Clock::duration> greeting;  // a shorter limit for all that comes before TRACK
  Clock::duration connect = std::chrono::seconds(30);
  Clock::time_point end = Clock::time_point::max();  // the limit of everything
  std::size_t max_answer = mtqp::kMaxAnswer;         // octets
  // Receives what is said, for -v: the direction and the bytes, with the secret masked. `in_clear`
  // comes without bytes, before a TRACK that TLS does not protect (MTQP-11-01).
  enum class Direction { sent, received, in_clear };
  std::function<void(Direction, std::string_view)> trace;
  // Called before TRACK, after TLS was started if it will be. If it returns a text, the server is
  // refused: it gets a QUIT and no secret (MTQP-6.1-02, -04), and the result is a failure of kind
  // `tls` with that text. May be empty.
  std::function<std::optional<std::string>(const MtqpPeer&)> approve;
};

struct MtqpAnswer {
  mtqp::Reply reply;
  bool tls = false;
  std::optional<Tcp::endpoint> endpoint = std::nullopt;  // the server that answered
};
struct MtqpFailure {
  enum class Kind {
    network,
    tls,       // TLS was required and missing, the handshake failed, or the certificate is bad
    protocol,  // the peer is not an MTQP server or violates RFC 3887
  };
  Kind kind;
  std::string detail;
};

// Returns the answer to TRACK, which may be negative: see its status and info. `envelope_id` and
// `secret` must outlive the coroutine.
[[nodiscard]] Awaitable<tl::expected<MtqpAnswer, MtqpFailure>> track(
    Resolver& resolver,
    std::string host,
    std::optional<std::uint16_t> port,
    const EnvelopeId& envelope_id,
    const TrackingSecret& secret,
    const MtqpClientOptions& options);

// Does the same without TRACK, and reports how far the session comes and with which server. The
// verdict on the certificate is in `peer`; it ends the session only if the context insists on it.
struct MtqpProbe {
  MtqpPeer peer;
  std::optional<MtqpFailure> failure;  // nothing: TRACK would be answered
};
[[nodiscard]] Awaitable<MtqpProbe> probe(Resolver& resolver,
                                         std::string host,
                                         std::optional<std::uint16_t> port,
                                         const MtqpClientOptions& options);

// Returns the command in a form that may be shown or logged: if it is TRACK, its last argument is
// replaced.
[[nodiscard]] std::string mask_secret(std::string_view command);

}  // namespace mtrk::net
