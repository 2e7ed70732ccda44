#include "common/track/certifier.h"

#include "common/track/base64.h"
#include "common/track/digest.h"

#include <algorithm>

namespace mtrk {
namespace {

constexpr std::size_t kDigits = 27;  // of 20 octets, without pad
constexpr char kWrongSize[] = "certifier is not 20 octets of base64";

}  // namespace

Expected<TrackingCertifier> TrackingCertifier::parse_base64(std::string_view text) {
  const Expected<std::string> decoded = decode_base64(text);
  Digest20 octets;
  if (text.empty() || !decoded) {
    return fail(ErrorCode::syntax, text.size() == kDigits ? "certifier is not base64" : kWrongSize);
  }
  if (decoded->size() != octets.size()) {
    return fail(ErrorCode::out_of_range, kWrongSize);
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
