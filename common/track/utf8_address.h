#pragma once

#include <string>
#include <string_view>

namespace mtrk {

// The utf-8-addr-xtext form of RFC 6533 §3: an internationalised address in ASCII, each character
// beyond ASCII, and '\', '+', '=' and blank, as \x{HEX}. What is not well-formed UTF-8 or not a
// printable character (controls, C1, line separators, surrogates) becomes '?'. Stops after the
// first character that brings the result over `limit` octets.
[[nodiscard]] std::string encode_utf8_address(std::string_view address, std::size_t limit);

// An address for people at a terminal that shows UTF-8. `escaped`: it is of type utf-8, where
// \x{HEX} stands for a character (RFC 6533 §3). Characters that cannot be seen, or change how the
// text around them looks (controls, bidirectional marks, joiners, blanks but the plain one, line
// ends, private use), are written \x{HEX}, octets that are not UTF-8 \xHH; "[cut]" stands for what
// is over `limit` octets.
[[nodiscard]] std::string show_utf8_address(std::string_view address,
                                            bool escaped,
                                            std::size_t limit);

}  // namespace mtrk
