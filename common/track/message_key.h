#pragma once

#include "common/base/bytes.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"

#include <array>
#include <cstdint>
#include <string>

namespace mtrk {

using StoreSalt = std::array<std::uint8_t, 16>;

// A MessageKey is the key of a message in the store:
//   SHA-256(salt ‖ be32 length ‖ ENVID decoded ‖ B)
// No other form of the ENVID and the certifier stays in the store for good. Neither can be read
// back from it, a look-up cannot tell an unknown id from a wrong secret, and a second sender who
// reuses an ENVID gets another key (THR-O5).
class MessageKey {
 public:
  [[nodiscard]] static MessageKey make(const StoreSalt& salt,
                                       const EnvelopeId& envelope_id,
                                       const TrackingCertifier& certifier);
  [[nodiscard]] static MessageKey from_octets(const Digest32& octets) { return MessageKey(octets); }

  [[nodiscard]] const Digest32& octets() const { return octets_; }
  [[nodiscard]] std::string short_text() const;  // the first 8 hex digits, for log lines
  [[nodiscard]] std::uint32_t tag() const {      // the same digits as a number
    return std::uint32_t{octets_[0]} << 24 | std::uint32_t{octets_[1]} << 16 |
           std::uint32_t{octets_[2]} << 8 | octets_[3];
  }
  bool operator==(const MessageKey&) const = default;

 private:
  explicit MessageKey(const Digest32& octets) : octets_(octets) {}
  Digest32 octets_;
};

}  // namespace mtrk
