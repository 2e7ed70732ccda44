#pragma once

#include "common/base/bytes.h"
#include "common/base/expected.h"
#include "common/track/secret.h"

#include <string>
#include <string_view>

namespace mtrk {

// B = SHA-1(A), 20 octets (RFC 3885 §3.1, A-1). On the wire base64 without pad.
class TrackingCertifier {
 public:
  // 27 characters, or 28 with the pad. Fails: syntax if it is no base64; out_of_range if that is of
  // another size, for which a client's mail is not to be refused: RFC 3885 §3.1 speaks of 128 bits,
  // too.
  [[nodiscard]] static Expected<TrackingCertifier> parse_base64(std::string_view text);
  [[nodiscard]] static TrackingCertifier of(const TrackingSecret& secret);
  [[nodiscard]] static TrackingCertifier from_octets(const Digest20& octets) {
    return TrackingCertifier(octets);
  }

  [[nodiscard]] const Digest20& octets() const { return octets_; }
  [[nodiscard]] std::string to_base64() const;  // 27 characters, no pad
  bool operator==(const TrackingCertifier&) const = default;

 private:
  explicit TrackingCertifier(const Digest20& octets) : octets_(octets) {}
  Digest20 octets_;
};

}  // namespace mtrk
