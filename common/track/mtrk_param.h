#pragma once

#include "common/base/time.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"

#include <optional>
#include <string>
#include <string_view>

// The MTRK parameter, RFC 3885 §3.1: certifier [":" 1*9DIGIT], and our carrier for MTAs that refuse
// it: the parameter folded into ENVID as  <unique-envid>;MTRK:<certifier as xtext>[:<timeout>].
namespace mtrk {

struct MtrkParam {
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;  // 0 = only while queued (A-7)
  bool operator==(const MtrkParam&) const = default;
};

// The value after "MTRK=". Fails as the grammar says: ABNF-01 to -03, MTRK-3.1-22; out_of_range for
// a well-formed one whose certifier is of another size.
[[nodiscard]] Expected<MtrkParam> parse_mtrk_param(std::string_view value);
[[nodiscard]] std::string format_mtrk_param(const MtrkParam& param);

// The timeout to pass on after `lingered` (MTRK-3.1-19 to -21): nothing means "do not pass MTRK".
[[nodiscard]] std::optional<Seconds> remaining_after(Seconds timeout, Seconds lingered);

// An ENVID value (xtext as on the wire) taken apart. A fold is the last ";MTRK:" (any case) with a
// certifier of 20 octets and nothing but a timeout behind it. Any other envelope id only looks like
// one, and is not ours to change (RFC 3461 §5.2.1).
struct FoldedEnvid {
  std::string_view plain;                  // what ENVID was before the fold; may be empty
  std::optional<std::string_view> folded;  // still xtext; absent if there is no fold
};
[[nodiscard]] FoldedEnvid split_folded_envid(std::string_view envid_xtext);
// The same behind Postfix's command filter, which folds a malformed MTRK, too: what it can have
// made of one, behind an envelope id with an "@", is also taken off.
[[nodiscard]] FoldedEnvid split_filtered_envid(std::string_view envid_xtext);
// The folded part, decoded from xtext and parsed.
[[nodiscard]] Expected<MtrkParam> parse_folded_mtrk(std::string_view folded_xtext);
[[nodiscard]] std::string fold_envid(std::string_view plain_xtext, const MtrkParam& param);

}  // namespace mtrk
