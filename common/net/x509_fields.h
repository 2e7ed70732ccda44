#pragma once

#include "common/base/time.h"

#include <openssl/types.h>

#include <string>
#include <vector>

namespace mtrk::net {

// The dNSNames of the certificate's subjectAltName (RFC 5280 §4.2.1.6), as they are written there:
// the peer's octets, NUL among them.
[[nodiscard]] std::vector<std::string> dns_names(const X509* certificate);
// The epoch for what is no date.
[[nodiscard]] TimePoint to_time_point(const ASN1_TIME* time);

}  // namespace mtrk::net
