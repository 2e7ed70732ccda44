#pragma once

#include "common/base/expected.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// mtqp://host[:port]/track/<unique-envid>/<secret>, RFC 3887 §9 (MTQP-9-01 to -08, A-27).
namespace mtrk::mtqp {

struct TrackUri {
  std::string host;                   // name or IPv6 literal without brackets
  std::optional<std::uint16_t> port;  // absent: SRV, then 1038
  EnvelopeId envelope_id;
  TrackingSecret secret;
};

// Fails: another scheme, user info, query, fragment, other segments, bad %-escapes (decoded once),
// a secret that is not base64. The error never shows the URI, which holds the secret.
[[nodiscard]] Expected<TrackUri> parse_track_uri(std::string_view text);
// The result holds the secret: the caller wipes it.
[[nodiscard]] std::string format_track_uri(std::string_view host,
                                           std::optional<std::uint16_t> port,
                                           const EnvelopeId& envelope_id,
                                           const TrackingSecret& secret);
[[nodiscard]] inline std::string format_track_uri(const TrackUri& uri) {
  return format_track_uri(uri.host, uri.port, uri.envelope_id, uri.secret);
}

// "host", "host:port", "[v6]:port" and a bare IPv6 address, as --server and --smtp take them.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};
[[nodiscard]] Expected<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] std::string format_host_port(std::string_view host,
                                           std::optional<std::uint16_t> port);

}  // namespace mtrk::mtqp
