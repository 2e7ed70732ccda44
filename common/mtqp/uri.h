#pragma once

#include "common/base/expected.h"
#include "common/track/envelope_id.h"
#include "common/track/secret.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// A tracking URI is mtqp://host[:port]/track/<unique-envid>/<secret> (RFC 3887 §9, MTQP-9-01 to
// -08, A-27).
namespace mtrk::mtqp {

struct TrackUri {
  std::string host;                   // a name, or an address without brackets
  std::optional<std::uint16_t> port;  // absent: SRV records decide, then 1038
  EnvelopeId envelope_id;
  TrackingSecret secret;
};

// Parses a URI. Fails on another scheme, on user information, a query, a fragment, other path
// segments or bad %-escapes (which are decoded once), and on a secret that is not base64. The Error
// never shows the URI, because that holds the secret.
[[nodiscard]] Expected<TrackUri> parse_track_uri(std::string_view text);
// Returns the URI, which holds the secret: the caller must wipe it.
[[nodiscard]] std::string format_track_uri(std::string_view host,
                                           std::optional<std::uint16_t> port,
                                           const EnvelopeId& envelope_id,
                                           const TrackingSecret& secret);
[[nodiscard]] inline std::string format_track_uri(const TrackUri& uri) {
  return format_track_uri(uri.host, uri.port, uri.envelope_id, uri.secret);
}

// Parses "host", "host:port", "[v6]:port" or a bare IPv6 address, as --server and --smtp accept
// them.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};
[[nodiscard]] Expected<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] std::string format_host_port(std::string_view host,
                                           std::optional<std::uint16_t> port);

}  // namespace mtrk::mtqp
