#pragma once

#include "common/base/bytes.h"
#include "common/base/expected.h"
#include "common/track/secret.h"

#include <string>
#include <string_view>

namespace mtrk {

// A tracking certifier is B = SHA-1(A), 20 octets (RFC 3885 §3.1, A-1). On the wire it is base64
// without pad.
class TrackingCertifier {
 public:
  // Parses 27 characters, or 28 with the pad. Fails with `syntax` if `text` is not base64, and with
  // `out_of_range` if it encodes another number of octets. Mail must not be refused for the latter,
  // because RFC 3885 §3.1 also speaks of 128 bits.
  [[nodiscard]] static Expected<TrackingCertifier> parse_base64(std::string_view text);
  [[nodiscard]] static TrackingCertifier of(const TrackingSecret& secret);
  [[nodiscard]] static TrackingCertifier from_octets(const Digest20& octets) {
    return TrackingCertifier(octets);
  }

  [[nodiscard]] const Digest20& octets() const { return octets_; }
  [[nodiscard]] std::string to_base64() const;  // 27 characters without pad
  bool operator==(const TrackingCertifier&) const = default;

 private:
  explicit TrackingCertifier(const Digest20& octets) : octets_(octets) {}
  Digest20 octets_;
};

}  // namespace mtrk
