#pragma once

#include "common/base/time.h"

#include <openssl/types.h>

#include <string>
#include <vector>

namespace mtrk::net {

// Returns the dNSNames of the certificate's subjectAltName (RFC 5280 §4.2.1.6) as written there.
// They are octets of the peer and may include NUL.
[[nodiscard]] std::vector<std::string> dns_names(const X509* certificate);
// Returns the epoch if `time` is not a date.
[[nodiscard]] TimePoint to_time_point(const ASN1_TIME* time);

}  // namespace mtrk::net
