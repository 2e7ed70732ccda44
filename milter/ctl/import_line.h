#pragma once

#include "common/base/expected.h"
#include "common/base/time.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/tracked_message.h"

#include <optional>
#include <string_view>

// An ImportLine is one line of `mtrkctl import`: a JSON object that describes a tracked message.
//
//   {"envelope_id": "id@example.net",          decoded, not xtext
//    "certifier": "…",                         B in base64, 27 characters or 28 with the pad
//    "arrival": "2026-11-21T16:49:22+01:00",   RFC 3339; all dates are reported in its zone
//    "timeout": 86400,                         seconds; the default if absent or null
//    "queue_id": "4dCXzt0Cvjz5Z",              may be absent
//    "recipients": [{"original": "rfc822;a@b", "final": "rfc822;c@d",
//                    "action": "relayed", "status": "2.1.9",
//                    "remote_mta": "dns;mx.example.org", "last_attempt": "…",
//                    "will_retry_until": "…"}]}   the last three as RFC 3886 allows
namespace mtrk {

struct ImportLine {
  EnvelopeId envelope_id;
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;
  TrackedMessage message;  // the importer sets reporting_mta and expires_at
};

// Fails if the line is not a JSON object, has an unknown, missing or ill-typed key or a value
// outside its grammar, or gives an outcome that RFC 3886 forbids. The detail names the key. Pure;
// linear in the length of the line.
[[nodiscard]] Expected<ImportLine> parse_import_line(std::string_view line);

}  // namespace mtrk
