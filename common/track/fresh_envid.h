#pragma once

#include "common/base/time.h"
#include "common/track/envelope_id.h"

#include <cstdint>
#include <string>
#include <string_view>

// make_envelope_id() creates an envelope id that no message of any system has used before (RFC 3885
// §3.2, MTRK-3.2-04). It is pure: time, process id and random number are parameters.
namespace mtrk {

struct EnvidSeed {
  TimePoint now;
  std::uint32_t process = 0;
  std::uint64_t random = 0;  // from the system's random number generator
};

// Returns <20 letters and digits>@<host>, which has at most 38 octets if the host has at most 17
// (DSNX-5.4-02). If the xtext form would have more than `max_xtext` octets, base64(SHA1(host))
// replaces the host (MTRK-3.2-06). Fails if `host` is empty or not printable, or if even that does
// not fit.
[[nodiscard]] Expected<EnvelopeId> make_envelope_id(std::string_view host,
                                                    const EnvidSeed& seed,
                                                    std::size_t max_xtext = EnvelopeId::kMaxXtext);

// Returns base64(SHA1(fqhn)) without pad, 27 characters, not yet encoded as xtext.
[[nodiscard]] std::string hashed_fqhn(std::string_view fqhn);

}  // namespace mtrk
