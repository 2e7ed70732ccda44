#pragma once

#include "common/base/expected.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// These are the four client commands of RFC 3887 §4–§7, parsed exactly by their grammar (ABNF-10 to
// -16).
namespace mtrk::mtqp {

struct Track {
  EnvelopeId envelope_id;
  TrackingSecret secret;
};
struct Comment {};
struct StartTls {
  std::string domain;  // in lower case
};
struct Quit {};
using Command = std::variant<Track, Comment, StartTls, Quit>;

// A Keyword is the first word of a line. The server session checks it before the arguments:
// STARTTLS inside TLS is -BAD/tls-in-progress, whatever its argument is. A line with an octet that
// is neither printable ASCII nor TAB is `unknown`, whatever its first word is.
enum class Keyword { track, comment, starttls, quit, unknown };
[[nodiscard]] Keyword keyword_of(std::string_view line);

// Parses a command. Fails if the keyword is unknown, if arguments are missing, surplus or
// malformed, or if the secret is not base64 of 1 to 128 octets (THR-O7). The Error never quotes the
// line.
[[nodiscard]] Expected<Command> parse_command(std::string_view line);

// Parses the domain of STARTTLS: at least two labels of letters, digits and inner hyphens
// (ABNF-14), at most 253 octets, each label at most 63. Returns it in lower case, or nothing if it
// is malformed.
[[nodiscard]] std::optional<std::string> parse_domain(std::string_view text);

// Returns the TRACK command without CRLF.
[[nodiscard]] std::string format_track(const EnvelopeId& envelope_id, const TrackingSecret& secret);

}  // namespace mtrk::mtqp
