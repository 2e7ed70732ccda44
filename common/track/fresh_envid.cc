#include "common/track/fresh_envid.h"

#include "common/base/bytes.h"
#include "common/track/base64.h"
#include "common/track/digest.h"
#include "common/track/xtext.h"

namespace mtrk {
namespace {

// Appends the lowest `digits` digits of `value` in base 62. Envelope ids are case-sensitive, so
// upper and lower case are different digits.
void append_base62(std::string& out, std::uint64_t value, std::size_t digits) {
  static constexpr std::string_view kBase62 =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  out.append(digits, '0');
  for (std::size_t i = 1; i <= digits; ++i, value /= kBase62.size()) {
    out[out.size() - i] = kBase62[value % kBase62.size()];
  }
}

// 6 digits of seconds suffice until the year 3769, 4 digits hold any process id, and 10 digits hold
// 59 random bits.
std::string local_part(const EnvidSeed& seed) {
  std::string local;
  append_base62(local, static_cast<std::uint64_t>(seed.now.time_since_epoch().count()), 6);
  append_base62(local, seed.process, 4);
  append_base62(local, seed.random, 10);
  return local;
}

}  // namespace

std::string hashed_fqhn(std::string_view fqhn) {
  return encode_base64(as_text(sha1(fqhn)), Padding::without);
}

Expected<EnvelopeId> make_envelope_id(std::string_view host,
                                      const EnvidSeed& seed,
                                      std::size_t max_xtext) {
  const std::string local = local_part(seed);
  if (host.empty()) {
    return fail(ErrorCode::syntax, "an envelope id needs a host name");
  }
  std::string text = local + "@" + std::string(host);
  if (encode_xtext(text).size() > max_xtext) {
    text = local + "@" + hashed_fqhn(host);
    if (encode_xtext(text).size() > max_xtext) {
      return fail(ErrorCode::too_long, "no room for an envelope id");
    }
  }
  return EnvelopeId::from_decoded(text);
}

}  // namespace mtrk
