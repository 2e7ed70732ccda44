#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// Addresses as RFC 3464 §2.1.2 types them: address-type ";" generic-address.
namespace mtrk {

struct TypedAddress {
  std::string type;   // an atom: "rfc822", "utf-8", "x400", "unknown"; as given
  std::string value;  // octets as given, never edited (DSNX-9-01); sanitised only on output

  bool operator==(const TypedAddress&) const = default;
};

// An ORCPT value: atom ";" xtext (ABNF-08). The value is decoded, not validated (DSNX-4.2-06).
[[nodiscard]] Expected<TypedAddress> parse_orcpt(std::string_view value);

// "rfc822;u@d", "RFC822; u@d": the form of reports and of `mtrkctl import`.
[[nodiscard]] Expected<TypedAddress> parse_typed_address(std::string_view text);

// The rfc822 address of a RCPT TO argument as a milter sees it: "<a@b>" or "a@b"; a source route
// is dropped ("<@hop:a@b>" is a@b). "rfc822", or "utf-8" if it holds octets over 127.
[[nodiscard]] TypedAddress address_from_rcpt(std::string_view argument);

// What recipients are compared by, in captures and in log lines: the address as given at RCPT,
// ASCII letters in lower case.
[[nodiscard]] std::string recipient_key(std::string_view address);

}  // namespace mtrk
