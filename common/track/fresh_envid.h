#pragma once

#include "common/base/time.h"
#include "common/track/envelope_id.h"

#include <cstdint>
#include <string>
#include <string_view>

// New envelope ids, RFC 3885 §3.2: never used before by any message of any system (MTRK-3.2-04).
// Pure: clock, process and randomness are parameters.
namespace mtrk {

struct EnvidSeed {
  TimePoint now;
  std::uint32_t process = 0;
  std::uint64_t random = 0;  // from the system's generator
};

// <20 letters and digits>@<host>: 38 octets or less when the host has 17 or less (DSNX-5.4-02). If
// the xtext form would have more than `max_xtext` octets, the host is replaced by
// base64(SHA1(host)) (MTRK-3.2-06). Fails: a host that is empty or not printable, no room even so.
[[nodiscard]] Expected<EnvelopeId> make_envelope_id(std::string_view host,
                                                    const EnvidSeed& seed,
                                                    std::size_t max_xtext = EnvelopeId::kMaxXtext);

// base64(SHA1(fqhn)) without pad, not yet xtext: 27 characters.
[[nodiscard]] std::string hashed_fqhn(std::string_view fqhn);

}  // namespace mtrk
