#pragma once

#include "common/mtqp/client_session.h"
#include "common/net/client_connection.h"

#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <functional>

// Asks one MTQP server about one message: connects, reads the greeting, starts TLS as wanted,
// TRACK, QUIT. Drives mtqp::ClientSession; mtqp and chaining share it.
namespace mtrk::net {

// What is known of a server when it can be asked.
struct MtqpPeer {
  std::optional<Tcp::endpoint> endpoint;
  mtqp::Greeting greeting;  // the first one; a later one counts, but is no news
  bool tls = false;
  PeerCertificates certificates;  // of TLS
};

struct MtqpClientOptions {
  mtqp::TlsUse tls = mtqp::TlsUse::if_offered;
  bool implicit_tls = false;  // the handshake comes before the greeting; `tls` does not matter then
  // Called when a handshake begins, so that nobody loads certificates for nothing; needed unless
  // tls is never. May throw TlsError.
  std::function<asio::ssl::context&()> tls_context;
  std::string tls_name;    // instead of the host's name; may be empty
  bool srv_names = false;  // so will the name an SRV record leads to: the DNS is trusted
  Clock::duration response = mtqp::kClientResponse;  // for each whole reply (MTQP-2.5-06)
  std::optional<Clock::duration> greeting;  // a shorter time for all that comes before TRACK
  Clock::duration connect = std::chrono::seconds(30);
  Clock::time_point end = Clock::time_point::max();  // of everything
  std::size_t max_answer = mtqp::kMaxAnswer;         // octets
  // What is said, for -v: the direction and the bytes, the secret masked. in_clear comes, with no
  // bytes, before a TRACK that no TLS protects (MTQP-11-01).
  enum class Direction { sent, received, in_clear };
  std::function<void(Direction, std::string_view)> trace;
  // Called before TRACK, once TLS is as it will be. A text refuses: the server gets a QUIT and no
  // secret (MTQP-6.1-02, -04), the caller a failure of kind tls. May be empty.
  std::function<std::optional<std::string>(const MtqpPeer&)> approve;
};

struct MtqpAnswer {
  mtqp::Reply reply;
  bool tls = false;
  std::optional<Tcp::endpoint> endpoint = std::nullopt;  // whose answer it is
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

// The same without a question: how far a session comes, and with whom. The certificate's verdict is
// in `peer`; it ends the session only if the context insists.
struct MtqpProbe {
  MtqpPeer peer;
  std::optional<MtqpFailure> failure;  // nothing: TRACK would be answered
};
[[nodiscard]] Awaitable<MtqpProbe> probe(Resolver& resolver,
                                         std::string host,
                                         std::optional<std::uint16_t> port,
                                         const MtqpClientOptions& options);

// The command with its last argument replaced, if it is TRACK: what may be shown or logged.
[[nodiscard]] std::string mask_secret(std::string_view command);

}  // namespace mtrk::net
