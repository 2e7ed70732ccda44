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

// What a line is before its arguments are looked at; the order of checks of REQUIREMENTS §10 needs
// it (STARTTLS inside TLS is -BAD/tls-in-progress whatever its argument).
enum class Keyword { track, comment, starttls, quit, unknown };
[[nodiscard]] Keyword keyword_of(std::string_view line);

[[nodiscard]] Expected<Command> parse_command(std::string_view line);

// What a client sends, without CRLF.
[[nodiscard]] std::string format_track(const EnvelopeId& envelope_id, const TrackingSecret& secret);

}  // namespace mtrk::mtqp
