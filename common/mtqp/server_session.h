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

// The server side of one MTQP session as a state machine without I/O: bytes in, bytes and requests
// out. A line is checked in the order framing, keyword, state, arguments; texts are constants here,
// so that every failed TRACK is the same octets (THR-O1). After a handshake the shell makes a new
// object: nothing of the plaintext session survives (MTQP-6.2-02).
namespace mtrk::mtqp {

struct SessionPolicy {
  enum class Tls { none, offered, required_for_some };  // before TLS: the option list
  bool tls_active = false;                              // this object lives inside TLS
  Tls tls = Tls::none;
  bool tls_insufficient = false;  // inside TLS, but below policy: /insecure
  // How the session starts. Anything but `open` is a negative greeting, which lasts.
  enum class Service { open, unavailable, maintenance } service = Service::open;
  // fqhn of envelope ids, lower case; "*" = all. Decided before any look-up. May be null.
  std::shared_ptr<const std::vector<std::string>> tls_required_for;
};

// What the shell must do before it calls advance() again.
struct NeedInput {};
struct LookUp {  // then answer() with the result
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
struct CheckDomain {  // STARTTLS: does a certificate carry this name? then answer_domain()
  std::string domain;
};
struct BeginTls {  // send what is in `out`, handshake, make a new session
  std::string domain;
};
struct Close {  // send what is in `out`, then close
  enum class Why {
    quit,
    bad_input,         // too many -BAD, over-long lines, 64 KiB without a line end
    input_behind_tls,  // THR-S1
    over,              // advance() was called again after the end
  } why;
};
using Next = std::variant<NeedInput, LookUp, CheckDomain, BeginTls, Close>;

enum class DomainCheck { matches, no_match, unavailable };

class ServerSession {
 public:
  explicit ServerSession(SessionPolicy policy);

  void greet(std::string& out);
  // Takes lines until one needs the shell or there are no more; appends replies to `out`. Call it
  // in a loop; send `out` once per loop, so that pipelined commands share one write. Replies made
  // here are shorter than 64 octets each, so the shell bounds `out` by what it feeds at once.
  [[nodiscard]] Next advance(LineBuffer& in, std::string& out);

  // The result of LookUp. `report` is the multipart/related entity, or empty for "no information".
  // `maintenance`: the administrator has taken the service down since the greeting (MTQP-4-08).
  enum class LookUpResult { found, no_information, unavailable, maintenance };
  void answer(LookUpResult result, std::string_view report, std::string& out);
  // The result of CheckDomain. Input that is already waiting behind STARTTLS ends the session with
  // -BAD (THR-S1), which is why `in` is looked at; `more_on_socket` is the shell's own check.
  [[nodiscard]] Next answer_domain(DomainCheck check,
                                   const LineBuffer& in,
                                   bool more_on_socket,
                                   std::string& out);

  // Lines taken, good and bad.
  [[nodiscard]] std::uint64_t commands() const { return commands_; }

 private:
  // Nothing: the line is answered, go on.
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
