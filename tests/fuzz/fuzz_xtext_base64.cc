// xtext, base64 and what is made of them: envelope ids, certifiers, secrets, MTRK parameters.
// Whatever decodes encodes again to something that decodes to the same.
#include "common/track/base64.h"
#include "common/track/envelope_id.h"
#include "common/track/mtrk_param.h"
#include "common/track/secret.h"
#include "common/track/xtext.h"

#include <cstdint>
#include <cstdlib>

namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_xtext(std::string_view text) {
  check(mtrk::decode_xtext(mtrk::encode_xtext(text)).value() == text);
  if (const auto decoded = mtrk::decode_xtext(text)) {
    check(mtrk::decode_xtext(mtrk::encode_xtext(*decoded)).value() == *decoded);
  }
  if (const auto id = mtrk::EnvelopeId::parse_xtext(text)) {
    check(mtrk::EnvelopeId::from_decoded(id->decoded()).has_value() ||
          id->xtext().size() > mtrk::EnvelopeId::kMaxXtext);
    check(!id->fqhn().empty());
    const auto bare = id->without_brackets();
    check(!bare || bare->domain() == id->domain());
  }
}

void check_base64(std::string_view text) {
  for (const mtrk::Padding padding : {mtrk::Padding::with, mtrk::Padding::without}) {
    check(mtrk::decode_base64(mtrk::encode_base64(text, padding)).value() == text);
  }
  const auto decoded = mtrk::decode_base64(text);
  const auto secret = mtrk::TrackingSecret::parse_base64(text);
  check(secret.has_value() == (decoded && !decoded->empty() && decoded->size() <= 128));
  if (secret) {
    check(secret->octets() == *decoded);
    check(mtrk::TrackingSecret::parse_base64(secret->to_base64())->octets() == *decoded);
  }
}

void check_mtrk(std::string_view text) {
  if (const auto param = mtrk::parse_mtrk_param(text)) {
    const auto again = mtrk::parse_mtrk_param(mtrk::format_mtrk_param(*param));
    check(again && again->certifier == param->certifier && again->timeout == param->timeout);
    const std::string folded = mtrk::fold_envid("x@h", *param);
    const mtrk::FoldedEnvid split = mtrk::split_folded_envid(folded);
    check(split.plain == "x@h" && split.folded);
    const auto unfolded = mtrk::parse_folded_mtrk(*split.folded);
    check(unfolded && unfolded->certifier == param->certifier);
  }
  const mtrk::FoldedEnvid split = mtrk::split_folded_envid(text);
  check(split.plain.size() <= text.size());
  if (split.folded) {
    (void)mtrk::parse_folded_mtrk(*split.folded);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_xtext(text);
  check_base64(text);
  check_mtrk(text);
  return 0;
}
