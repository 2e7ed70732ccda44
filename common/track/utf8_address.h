#pragma once

#include <string>
#include <string_view>

namespace mtrk {

// Returns an internationalised address in the utf-8-addr-xtext form of RFC 6533 §3, which is ASCII:
// each character beyond ASCII, and '\', '+', '=' and the blank, becomes \x{HEX}. What is not
// well-formed UTF-8 or not a printable character (controls, C1, line separators, surrogates)
// becomes '?'. The function stops after the first character that makes the result longer than
// `limit` octets.
[[nodiscard]] std::string encode_utf8_address(std::string_view address, std::size_t limit);

// Returns an address for display on a terminal that shows UTF-8. If `escaped` is true, the address
// is of type utf-8, in which \x{HEX} stands for a character (RFC 6533 §3). Characters that are
// invisible or change how the text around them looks (controls, bidirectional marks, joiners,
// blanks other than the plain one, line ends, private use) become \x{HEX}, and octets that are not
// UTF-8 become \xHH. "[cut]" replaces what exceeds `limit` octets.
[[nodiscard]] std::string show_utf8_address(std::string_view address,
                                            bool escaped,
                                            std::size_t limit);

}  // namespace mtrk
