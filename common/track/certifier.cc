#include "common/track/certifier.h"

#include "common/track/base64.h"
#include "common/track/digest.h"

#include <algorithm>

namespace mtrk {
namespace {

constexpr std::size_t kDigits = 27;  // of 20 octets, without pad

}  // namespace

Expected<TrackingCertifier> TrackingCertifier::parse_base64(std::string_view text) {
  const bool padded = text.size() == kDigits + 1 && text.back() == '=';
  if (text.size() != kDigits && !padded) {
    return fail(ErrorCode::syntax, "certifier is not 20 octets of base64");
  }
  const Expected<std::string> decoded = decode_base64(text);
  if (!decoded) {
    return fail(ErrorCode::syntax, "certifier is not base64");
  }
  Digest20 octets;
  if (decoded->size() != octets.size()) {  // 26 digits and "=="
    return fail(ErrorCode::syntax, "certifier is not 20 octets of base64");
  }
  std::copy(decoded->begin(), decoded->end(), octets.begin());
  return TrackingCertifier(octets);
}

TrackingCertifier TrackingCertifier::of(const TrackingSecret& secret) {
  return TrackingCertifier(sha1(secret.octets()));
}

std::string TrackingCertifier::to_base64() const {
  return encode_base64(as_text(octets_), Padding::without);
}

}  // namespace mtrk
