#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

namespace mtrk {

// An MtaName has the form of RFC 3464 §2.2.2 and §2.3.5: mta-name-type ";" mta-name.
struct MtaName {
  std::string type;  // "dns", "x-local-hostname", …
  std::string name;  // "mx.example.net", "[192.0.2.1]"

  bool operator==(const MtaName&) const = default;
};

// Returns the name of a host with the type dns if it has a dot or is an address literal, and
// otherwise with the type x-local-hostname (DSNX-6.3-02).
[[nodiscard]] MtaName local_mta_name(std::string_view hostname);
// Parses a name like "dns; mx.example.net". Fails if the type is missing.
[[nodiscard]] Expected<MtaName> parse_mta_name(std::string_view text);

}  // namespace mtrk
