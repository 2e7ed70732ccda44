#include "common/track/secret.h"

#include "common/base/wipe.h"
#include "common/track/base64.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace mtrk {

Expected<TrackingSecret> TrackingSecret::parse_base64(std::string_view text) {
  // 171 digits are 128 octets and two spare bits; the longest pad brings them to 172 characters.
  if (text.size() > (kMaxOctets + 2) / 3 * 4) {
    return fail(ErrorCode::too_long, "secret over 128 octets");
  }
  Expected<std::string> octets = decode_base64(text);
  if (!octets) {
    return fail(octets.error().code, "secret is not base64");
  }
  if (octets->empty() || octets->size() > kMaxOctets) {
    const bool empty = octets->empty();
    wipe(*octets);
    return empty ? fail(ErrorCode::syntax, "secret is empty")
                 : fail(ErrorCode::too_long, "secret over 128 octets");
  }
  TrackingSecret secret(*octets);
  wipe(*octets);
  return secret;
}

TrackingSecret TrackingSecret::generate() {
  std::array<unsigned char, kGeneratedOctets> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    throw std::runtime_error("OpenSSL has no random octets");
  }
  TrackingSecret secret({reinterpret_cast<const char*>(random.data()), random.size()});
  OPENSSL_cleanse(random.data(), random.size());
  return secret;
}

TrackingSecret::TrackingSecret(TrackingSecret&& other) noexcept
    : octets_(std::move(other.octets_)) {
  wipe(other.octets_);
}

TrackingSecret& TrackingSecret::operator=(TrackingSecret&& other) noexcept {
  if (this != &other) {
    wipe(octets_);
    octets_ = std::move(other.octets_);
    wipe(other.octets_);
  }
  return *this;
}

TrackingSecret::~TrackingSecret() {
  wipe(octets_);
}

std::string TrackingSecret::to_base64() const {
  return encode_base64(octets_, Padding::with);
}

}  // namespace mtrk
