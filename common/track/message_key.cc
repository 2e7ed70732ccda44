#include "common/track/message_key.h"

#include "common/track/digest.h"

#include <algorithm>
#include <cassert>

namespace mtrk {

MessageKey MessageKey::make(const StoreSalt& salt,
                            const EnvelopeId& envelope_id,
                            const TrackingCertifier& certifier) {
  const std::string& id = envelope_id.decoded();
  // The xtext of an id is never shorter than the id.
  assert(id.size() <= EnvelopeId::kMaxXtext);
  const auto length = static_cast<std::uint32_t>(id.size());
  const std::array<std::uint8_t, 4> be32{
      static_cast<std::uint8_t>(length >> 24U), static_cast<std::uint8_t>(length >> 16U),
      static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length)};

  std::array<char, sizeof(StoreSalt) + 4 + EnvelopeId::kMaxXtext + sizeof(Digest20)> input;
  char* end = std::copy(salt.begin(), salt.end(), input.data());
  end = std::copy(be32.begin(), be32.end(), end);
  end = std::copy(id.begin(), id.end(), end);
  end = std::copy(certifier.octets().begin(), certifier.octets().end(), end);
  return MessageKey(sha256({input.data(), static_cast<std::size_t>(end - input.data())}));
}

std::string MessageKey::short_text() const {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    text += kHexDigits[octets_[i] >> 4U];
    text += kHexDigits[octets_[i] & 15U];
  }
  return text;
}

}  // namespace mtrk
