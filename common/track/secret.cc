#include "common/track/secret.h"

#include "common/track/base64.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <string.h>

#include <array>
#include <stdexcept>

namespace mtrk {

Expected<TrackingSecret> TrackingSecret::parse_base64(std::string_view text) {
  // 128 octets have 171 digits and two spare bits; with the pad they have 172 characters.
  std::array<char, (kMaxOctets + 2) / 3 * 3> octets;
  if (text.size() > octets.size() / 3 * 4) {
    return fail(ErrorCode::too_long, "secret over 128 octets");
  }
  const Expected<std::size_t> size = decode_base64(text, octets);
  if (!size) {
    return fail(size.error().code, "secret is not base64");
  }
  if (*size == 0) {
    return fail(ErrorCode::syntax, "secret is empty");
  }
  const std::string_view decoded(octets.data(), *size);
  Expected<TrackingSecret> secret = fail(ErrorCode::too_long, "secret over 128 octets");
  if (decoded.size() <= kMaxOctets) {
    secret = TrackingSecret(decoded);
  }
  ::explicit_bzero(octets.data(), *size);
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

TrackingSecret::TrackingSecret(std::string_view octets)
    : size_(static_cast<std::uint8_t>(octets.size())) {
  octets.copy(octets_.data(), octets.size());
}

TrackingSecret::TrackingSecret(TrackingSecret&& other) noexcept {
  take(other);
}

TrackingSecret& TrackingSecret::operator=(TrackingSecret&& other) noexcept {
  if (this != &other) {
    wipe();
    take(other);
  }
  return *this;
}

TrackingSecret::~TrackingSecret() {
  wipe();
}

void TrackingSecret::take(TrackingSecret& other) noexcept {
  other.octets().copy(octets_.data(), other.size_);
  size_ = other.size_;
  other.wipe();
}

void TrackingSecret::wipe() noexcept {
  if (size_ != 0) {
    ::explicit_bzero(octets_.data(), size_);
    size_ = 0;
  }
}

std::string TrackingSecret::to_base64() const {
  return encode_base64(octets(), Padding::with);
}

}  // namespace mtrk
