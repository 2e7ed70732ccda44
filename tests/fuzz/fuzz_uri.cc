// An mtqp: URI that parses formats to one that parses to the same parts; no other text does harm.
#include "common/mtqp/uri.h"

#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mtrk::mtqp::parse_track_uri;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto uri = parse_track_uri(text);
  if (uri) {
    const std::string formatted = format_track_uri(*uri);
    const auto again = parse_track_uri(formatted);
    if (!again || again->host != uri->host || again->port != uri->port ||
        again->envelope_id != uri->envelope_id || again->secret.octets() != uri->secret.octets() ||
        format_track_uri(*again) != formatted) {
      std::abort();
    }
  }
  const auto place = mtrk::mtqp::parse_host_port(text);
  if (place) {
    const auto again =
        mtrk::mtqp::parse_host_port(mtrk::mtqp::format_host_port(place->host, place->port));
    if (!again || again->host != place->host || again->port != place->port) {
      std::abort();
    }
  }
  return 0;
}
