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

// The client side of one MTQP session, without I/O, the mirror of ServerSession: greeting, options,
// STARTTLS when wanted, TRACK, QUIT. Sends nothing before a positive greeting with /MTQP (THR-C3);
// forgets options at the handshake (MTQP-6.2-03, THR-C7); refuses bytes that wait before it
// (THR-C1).
namespace mtrk::mtqp {

enum class TlsUse { required, if_offered, never };

struct Greeting {
  bool positive = false;
  bool offers_starttls = false;
  bool requires_starttls = false;
  std::vector<std::string> options;  // unfolded option lines as sent
  std::string reason;                // "admin", "unavailable"; unknown ones read as unavailable
};

// Fails if the reply is no greeting of an MTQP server: no /MTQP, or another status than +OK, -TEMP
// and -ERR (MTQP-3-02, -03).
[[nodiscard]] Expected<Greeting> parse_greeting(const Reply& reply);

// True for what STARTTLS may name: ABNF-14, two labels or more, no address (MTQP-6-05).
[[nodiscard]] bool is_starttls_domain(std::string_view name);

struct ClientPolicy {
  TlsUse tls = TlsUse::if_offered;
  std::string domain;  // the name the client means to talk to: STARTTLS, SNI, certificate
  bool tls_active = false;  // the connection began inside TLS (an implicit-TLS listener)
  std::size_t max_answer = kMaxAnswer;  // octets of a reply; more is no MTQP
  std::string second_domain = {};       // asked for if the server has no certificate for `domain`
};

// Why a session cannot go on, in the classes the exit codes of mtqp(1) have.
struct SessionFailure {
  enum class Kind {
    not_mtqp,     // the peer is something else; nothing was sent to it
    unavailable,  // a negative greeting
    no_tls,       // TLS was wanted and the server does not offer it, or refused STARTTLS
    protocol,     // what came is not MTQP, or bytes waited before the handshake
  };
  Kind kind;
  std::string detail;
};

namespace client {
struct NeedInput {};  // read, feed(), advance() again; kClientResponse for each answer
struct BeginTls {     // send what is in `out`, handshake, check the certificate, then tls_started()
  std::string domain;
};
struct Ready {};  // send what is in `out`; now track() or quit()
struct Answer {   // the reply to the TRACK before; the session is ready again
  Reply reply;
};
}  // namespace client
using ClientNext = std::
    variant<client::NeedInput, client::BeginTls, client::Ready, client::Answer, SessionFailure>;

class ClientSession {
 public:
  explicit ClientSession(ClientPolicy policy);

  void feed(std::string_view bytes);
  // Appends commands to `out`; sends them before acting on what is returned. After a SessionFailure
  // the connection is of no further use; a QUIT is in `out` where RFC 3887 asks for one.
  [[nodiscard]] ClientNext advance(std::string& out);

  // The handshake that BeginTls asked for is done and the certificate is good: the protocol starts
  // again with a greeting (RFC 3887 §6.2).
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
