#pragma once

#include "common/base/time.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"

#include <optional>
#include <string>
#include <string_view>

// The MTRK parameter of RFC 3885 §3.1 is certifier [":" 1*9DIGIT]. Since some MTAs refuse it, it
// can also be folded into ENVID, as  <unique-envid>;MTRK:<certifier as xtext>[:<timeout>].
namespace mtrk {

struct MtrkParam {
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;  // 0: only while queued (A-7)
  bool operator==(const MtrkParam&) const = default;
};

// Parses the value after "MTRK=". Fails if it does not match the grammar (ABNF-01 to -03,
// MTRK-3.1-22), and with out_of_range if it does but its certifier has another size.
[[nodiscard]] Expected<MtrkParam> parse_mtrk_param(std::string_view value);
[[nodiscard]] std::string format_mtrk_param(const MtrkParam& param);

// Returns the timeout to pass on after the message has spent `lingered` here (MTRK-3.1-19 to -21).
// Returns nothing if MTRK must not be passed on.
[[nodiscard]] std::optional<Seconds> remaining_after(Seconds timeout, Seconds lingered);

// A FoldedEnvid is an ENVID value (xtext as on the wire), split into the envelope id and its fold.
// The fold begins with the last ";MTRK:" (in any case); a certifier of 20 octets follows, and after
// it nothing but a timeout. Anything else only looks like a fold and is part of the envelope id,
// which we must not change (RFC 3461 §5.2.1).
struct FoldedEnvid {
  std::string_view plain;                  // the ENVID before folding; may be empty
  std::optional<std::string_view> folded;  // still xtext; absent if there is no fold
};
[[nodiscard]] FoldedEnvid split_folded_envid(std::string_view envid_xtext);
// Does the same for an ENVID from Postfix's command filter, which also folds a malformed MTRK: what
// it can have made of such a parameter is also taken off if it follows an envelope id with an "@".
[[nodiscard]] FoldedEnvid split_filtered_envid(std::string_view envid_xtext);
// Decodes the folded part from xtext and parses it.
[[nodiscard]] Expected<MtrkParam> parse_folded_mtrk(std::string_view folded_xtext);
[[nodiscard]] std::string fold_envid(std::string_view plain_xtext, const MtrkParam& param);

}  // namespace mtrk
