#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// A TypedAddress is an address in the form of RFC 3464 §2.1.2: address-type ";" generic-address.
namespace mtrk {

struct TypedAddress {
  std::string type;   // an atom as given: "rfc822", "utf-8", "x400", "unknown"
  std::string value;  // octets as given, never edited (DSNX-9-01); output sanitises them

  bool operator==(const TypedAddress&) const = default;
};

// Parses the value of ORCPT: atom ";" xtext (ABNF-08). The address is decoded but not validated
// (DSNX-4.2-06).
[[nodiscard]] Expected<TypedAddress> parse_orcpt(std::string_view value);

// Parses an address like "rfc822;u@d" or "RFC822; u@d", the form of reports and of `mtrkctl
// import`.
[[nodiscard]] Expected<TypedAddress> parse_typed_address(std::string_view text);

// Returns the address in an argument of RCPT TO as a milter receives it: "<a@b>" or "a@b". A source
// route is dropped: "<@hop:a@b>" is a@b. The type is "rfc822", or "utf-8" if the address holds
// octets over 127.
[[nodiscard]] TypedAddress address_from_rcpt(std::string_view argument);

// Returns the key by which recipients in captures and in log lines are compared: the address as
// given at RCPT, with ASCII letters in lower case.
[[nodiscard]] std::string recipient_key(std::string_view address);

}  // namespace mtrk
