#pragma once

#include "common/mtqp/limits.h"
#include "common/mtqp/reply.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// A ClientSession is the client side of one MTQP session without I/O, the counterpart of
// ServerSession. It goes through greeting, options, STARTTLS if wanted, TRACK and QUIT. It sends
// nothing before a positive greeting with /MTQP (THR-C3), forgets the options at the handshake
// (MTQP-6.2-03, THR-C7), and fails if bytes have arrived before the handshake (THR-C1).
namespace mtrk::mtqp {

enum class TlsUse { required, if_offered, never };

struct Greeting {
  bool positive = false;
  bool offers_starttls = false;
  bool requires_starttls = false;
  std::vector<std::string> options;  // option lines as sent, unfolded
  std::string reason;  // "admin" or "unavailable", which also stands for unknown reasons
};

// Parses a greeting. Fails if it is not that of an MTQP server: /MTQP is missing, or the status is
// none of +OK, -TEMP and -ERR (MTQP-3-02, -03).
[[nodiscard]] Expected<Greeting> parse_greeting(const Reply& reply);

// Returns whether STARTTLS may name this domain: it matches ABNF-14, has two labels or more and is
// not an address (MTQP-6-05).
[[nodiscard]] bool is_starttls_domain(std::string_view name);

struct ClientPolicy {
  TlsUse tls = TlsUse::if_offered;
  // The name of the server that the client wants to reach: for STARTTLS, SNI and the certificate
  //
  std::string domain;
  bool tls_active = false;  // the connection began with TLS (an implicit-TLS listener)
  // A reply with more octets than this is a protocol failure.
  std::size_t max_answer = kMaxAnswer;
  std::string second_domain = {};  // requested if the server has no certificate for `domain`
};

// Says why a session cannot go on, in the classes that the exit codes of mtqp(1) have.
struct SessionFailure {
  enum class Kind {
    not_mtqp,     // the peer is not an MTQP server; nothing was sent to it
    unavailable,  // the greeting was negative
    no_tls,       // TLS was required, but the server does not offer it or refused STARTTLS
    protocol,     // the input is not MTQP, or bytes arrived before the handshake
  };
  Kind kind;
  std::string detail;
};

namespace client {
struct NeedInput {};  // Read, feed() and advance() again; allow kClientResponse for each answer.
struct BeginTls {  // Send `out`, do the handshake, check the certificate, then call tls_started().
  std::string domain;
};
struct Ready {};  // Send `out`; now call track() or quit().
struct Answer {   // The reply to the last TRACK; the session is ready again.
  Reply reply;
};
}  // namespace client
using ClientNext = std::
    variant<client::NeedInput, client::BeginTls, client::Ready, client::Answer, SessionFailure>;

class ClientSession {
 public:
  explicit ClientSession(ClientPolicy policy);

  void feed(std::string_view bytes);
  // Appends commands to `out`, which the caller must send before it acts on the result. After a
  // SessionFailure the connection is of no further use; `out` ends with QUIT where RFC 3887 asks
  // for one.
  [[nodiscard]] ClientNext advance(std::string& out);

  // Tells the session that the handshake which BeginTls requested is done and the certificate is
  // good. The protocol then starts again with a greeting (RFC 3887 §6.2).
  void tls_started();

  void track(const EnvelopeId& envelope_id, const TrackingSecret& secret, std::string& out);
  void quit(std::string& out);

  [[nodiscard]] bool tls_active() const { return tls_active_; }
  [[nodiscard]] const Greeting& greeting() const { return greeting_; }

 private:
  enum class State { greeting, starttls, handshake, ready, track, closed };

  [[nodiscard]] ClientNext on_greeting(const Reply& reply, std::string& out);
  [[nodiscard]] ClientNext on_starttls(const Reply& reply, std::string& out);
  [[nodiscard]] ClientNext on_track(Reply reply);
  [[nodiscard]] ClientNext give_up(SessionFailure::Kind kind, std::string detail);

  ClientPolicy policy_;
  State state_ = State::greeting;
  bool tls_active_;
  ReplyParser replies_;
  Greeting greeting_;
};

}  // namespace mtrk::mtqp
