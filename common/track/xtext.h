#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// xtext, RFC 3461 §4: octets 33..126 except '+' and '=' stand for themselves, all others are
// "+HH" with upper-case hexadecimal digits.
namespace mtrk {

[[nodiscard]] std::string encode_xtext(std::string_view text);

// Fails: an octet outside the grammar, or '+' without two upper-case hex digits (DSNX-4-03).
[[nodiscard]] Expected<std::string> decode_xtext(std::string_view xtext);

}  // namespace mtrk
