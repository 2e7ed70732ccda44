#pragma once

#include "common/base/expected.h"

#include <string>
#include <string_view>

// xtext (RFC 3461 §4) represents the octets 33..126 except '+' and '=' by themselves, and all
// others by "+HH" with upper-case hexadecimal digits.
namespace mtrk {

[[nodiscard]] std::string encode_xtext(std::string_view text);

// Fails on an octet outside the grammar, or on a '+' without two upper-case hexadecimal digits
// (DSNX-4-03).
[[nodiscard]] Expected<std::string> decode_xtext(std::string_view xtext);

}  // namespace mtrk
