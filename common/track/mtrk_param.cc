#include "common/track/mtrk_param.h"

#include "common/base/ascii.h"
#include "common/track/xtext.h"

#include <algorithm>

namespace mtrk {
namespace {

constexpr std::string_view kMarker = ";MTRK:";
constexpr std::size_t kMaxTimeoutDigits = 9;

std::optional<Seconds> parse_timeout(std::string_view digits) {
  if (digits.size() > kMaxTimeoutDigits) {
    return std::nullopt;
  }
  const std::optional<std::uint32_t> seconds = parse_number<std::uint32_t>(digits);
  if (!seconds) {
    return std::nullopt;
  }
  return Seconds(*seconds);
}

void append_timeout(std::string& out, const MtrkParam& param) {
  if (param.timeout) {
    out += ':';
    out += std::to_string(param.timeout->count());
  }
}

// Splits at the last ";MTRK:" (in any case), whatever follows it.
FoldedEnvid split_at_marker(std::string_view envid_xtext) {
  for (std::size_t end = envid_xtext.size(); end >= kMarker.size(); --end) {
    const std::size_t start = end - kMarker.size();
    if (envid_xtext[start] == ';' && istarts_with(envid_xtext.substr(start), kMarker)) {
      return {envid_xtext.substr(0, start), envid_xtext.substr(end)};
    }
  }
  return {envid_xtext, std::nullopt};
}

// Returns whether the command filter can have made this from a parameter: it copies letters, digits
// and "/=:" and writes "+" as "+2B".
bool may_be_of_the_filter(std::string_view folded_xtext) {
  while (!folded_xtext.empty()) {
    const char c = folded_xtext.front();
    if (c == '+' ? !folded_xtext.starts_with("+2B")
                 : !is_alnum(c) && c != '/' && c != '=' && c != ':') {
      return false;
    }
    folded_xtext.remove_prefix(c == '+' ? 3 : 1);
  }
  return true;
}

}  // namespace

Expected<MtrkParam> parse_mtrk_param(std::string_view value) {
  const std::size_t colon = value.find(':');
  std::optional<Seconds> timeout;
  if (colon != std::string_view::npos) {
    timeout = parse_timeout(value.substr(colon + 1));
    if (!timeout) {
      return fail(ErrorCode::syntax, "timeout is not 1 to 9 digits");
    }
  }
  const Expected<TrackingCertifier> certifier =
      TrackingCertifier::parse_base64(value.substr(0, colon));
  if (!certifier) {
    return Unexpected(certifier.error());
  }
  return MtrkParam{*certifier, timeout};
}

std::string format_mtrk_param(const MtrkParam& param) {
  std::string text = param.certifier.to_base64();
  append_timeout(text, param);
  return text;
}

std::optional<Seconds> remaining_after(Seconds timeout, Seconds lingered) {
  const Seconds rest = timeout - std::max(lingered, Seconds(0));  // a clock may step back
  if (rest <= Seconds(0)) {
    return std::nullopt;
  }
  return rest;
}

FoldedEnvid split_folded_envid(std::string_view envid_xtext) {
  const FoldedEnvid split = split_at_marker(envid_xtext);
  return split.folded && parse_folded_mtrk(*split.folded) ? split
                                                          : FoldedEnvid{envid_xtext, std::nullopt};
}

FoldedEnvid split_filtered_envid(std::string_view envid_xtext) {
  const FoldedEnvid split = split_at_marker(envid_xtext);
  const bool has_host = split.plain.find('@') != std::string_view::npos;
  const bool fold = split.folded && (parse_folded_mtrk(*split.folded) ||
                                     (has_host && may_be_of_the_filter(*split.folded)));
  return fold ? split : FoldedEnvid{envid_xtext, std::nullopt};
}

Expected<MtrkParam> parse_folded_mtrk(std::string_view folded_xtext) {
  // A pad is not xtext, but a command filter that folds `MTRK=…=` does not check for one.
  std::string xtext;
  for (const char c : folded_xtext) {
    c == '=' ? xtext.append("+3D") : xtext.append(1, c);
  }
  const Expected<std::string> value = decode_xtext(xtext);
  if (!value) {
    return fail(ErrorCode::syntax, "certifier is not xtext");
  }
  return parse_mtrk_param(*value);
}

std::string fold_envid(std::string_view plain_xtext, const MtrkParam& param) {
  std::string envid(plain_xtext);
  envid += kMarker;
  envid += encode_xtext(param.certifier.to_base64());
  append_timeout(envid, param);
  return envid;
}

}  // namespace mtrk
