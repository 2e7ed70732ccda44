#pragma once

#include <string>
#include <string_view>

namespace mtrk {

// The utf-8-addr-xtext form of RFC 6533 §3: an internationalised address in ASCII, each character
// beyond ASCII, and '\', '+', '=' and blank, as \x{HEX}. What is not well-formed UTF-8 or not a
// printable character (controls, C1, line separators, surrogates) becomes '?'. Stops after the
// first character that brings the result over `limit` octets.
[[nodiscard]] std::string encode_utf8_address(std::string_view address, std::size_t limit);

}  // namespace mtrk
