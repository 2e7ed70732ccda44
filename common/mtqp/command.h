#pragma once

#include "common/base/expected.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// The four client commands of RFC 3887 §4–§7, exactly by their grammar (ABNF-10 to -16).
namespace mtrk::mtqp {

struct Track {
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
struct Comment {};
struct StartTls {
  std::string domain;  // lower case
};
struct Quit {};
using Command = std::variant<Track, Comment, StartTls, Quit>;

// What a line is before its arguments are looked at; the server session checks
// the keyword before anything else (STARTTLS inside TLS is -BAD/tls-in-progress whatever its
// argument). A line with an octet that is neither printable ASCII nor TAB is unknown whatever it
// starts with.
enum class Keyword { track, comment, starttls, quit, unknown };
[[nodiscard]] Keyword keyword_of(std::string_view line);

// Fails: an unknown keyword; arguments missing, surplus or malformed; a secret that is not base64
// of 1 to 128 octets (THR-O7). The error never quotes the line.
[[nodiscard]] Expected<Command> parse_command(std::string_view line);

// The domain of STARTTLS: at least two labels of letters, digits and inner hyphens (ABNF-14), at
// most 253 octets, labels of at most 63. Returned in lower case.
[[nodiscard]] std::optional<std::string> parse_domain(std::string_view text);

// What a client sends, without CRLF.
[[nodiscard]] std::string format_track(const EnvelopeId& envelope_id, const TrackingSecret& secret);

}  // namespace mtrk::mtqp
