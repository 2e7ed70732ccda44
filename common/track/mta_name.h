#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

namespace mtrk {

// mta-name-type ";" mta-name, RFC 3464 §2.2.2 and §2.3.5.
struct MtaName {
  std::string type;  // "dns", "x-local-hostname", …
  std::string name;  // "mx.example.net", "[192.0.2.1]"

  bool operator==(const MtaName&) const = default;
};

// Type dns if the name has a dot or is an address literal, else x-local-hostname (DSNX-6.3-02).
[[nodiscard]] MtaName local_mta_name(std::string_view hostname);
// "dns; mx.example.net"; a missing type is an error.
[[nodiscard]] Expected<MtaName> parse_mta_name(std::string_view text);

}  // namespace mtrk
