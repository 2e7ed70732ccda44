#pragma once

#include "common/mtqp/command.h"
#include "common/mtqp/line_buffer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// A ServerSession is the server side of one MTQP session as a state machine without I/O: it
// receives bytes, and returns bytes and requests to the shell around it. A line is checked in the
// order framing, keyword, state, arguments. The texts are constants, so that every failed TRACK
// gets the same octets (THR-O1). After a handshake the shell makes a new object, so that nothing of
// the plaintext session survives (MTQP-6.2-02).
namespace mtrk::mtqp {

struct SessionPolicy {
  enum class Tls { none, offered, required_for_some };  // the option list before TLS
  bool tls_active = false;                              // the session is inside TLS
  Tls tls = Tls::none;
  bool tls_insufficient = false;  // TLS is active but below the policy: /insecure
  // Says how the session starts. All but `open` get a negative greeting, and the session stays that
  // way.
  enum class Service { open, unavailable, maintenance } service = Service::open;
  // The fqhns of envelope ids that require TLS, in lower case; "*" = all. This is decided before
  // any look-up. May be null.
  std::shared_ptr<const std::vector<std::string>> tls_required_for;
};

// Each of these says what the shell must do before it calls advance() again.
struct NeedInput {};
struct LookUp {  // Look the message up, then call answer() with the result.
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
// STARTTLS: check whether a certificate has this name, then call answer_domain().
struct CheckDomain {
  std::string domain;
};
struct BeginTls {  // Send `out`, do the handshake, make a new session.
  std::string domain;
};
struct Close {  // Send `out`, then close the connection.
  enum class Why {
    quit,
    bad_input,         // too many -BAD or over-long lines, or 64 KiB without a line end
    input_behind_tls,  // THR-S1
    over,              // advance() was called after the end
  } why;
};
using Next = std::variant<NeedInput, LookUp, CheckDomain, BeginTls, Close>;

enum class DomainCheck { matches, no_match, unavailable };

class ServerSession {
 public:
  explicit ServerSession(SessionPolicy policy);

  void greet(std::string& out);
  // Processes lines until one needs the shell or there are no more, and appends the replies to
  // `out`. Call it in a loop, and send `out` once per loop, so that pipelined commands share one
  // write. Each reply that is made here is shorter than 64 octets, so the shell bounds `out` by
  // what it feeds at once.
  [[nodiscard]] Next advance(LineBuffer& in, std::string& out);

  // Answers a LookUp. `report` is the multipart/related entity, and is used with `found` only.
  // `maintenance` means that the administrator has taken the service down since the greeting
  // (MTQP-4-08).
  enum class LookUpResult { found, no_information, unavailable, maintenance };
  void answer(LookUpResult result, std::string_view report, std::string& out);
  // Answers a CheckDomain. Input that already follows STARTTLS ends the session with -BAD (THR-S1):
  // `in` is checked for it, and `more_on_socket` is what the shell found.
  [[nodiscard]] Next answer_domain(DomainCheck check,
                                   const LineBuffer& in,
                                   bool more_on_socket,
                                   std::string& out);

  // Returns the number of lines processed, good or bad.
  [[nodiscard]] std::uint64_t commands() const { return commands_; }

 private:
  // These return nothing if the line is answered and the session goes on.
  [[nodiscard]] std::optional<Next> take_line(const LineBuffer::Line& line, std::string& out);
  [[nodiscard]] std::optional<Next> take_track(Track track, std::string& out);
  [[nodiscard]] std::optional<Next> refuse(std::string_view reply, std::string& out);
  [[nodiscard]] bool tls_required(const EnvelopeId& envelope_id) const;

  SessionPolicy policy_;
  std::uint64_t commands_ = 0;
  unsigned bad_commands_ = 0;
  unsigned long_lines_ = 0;
  bool closed_ = false;
  std::string starttls_domain_;
};

}  // namespace mtrk::mtqp
