#include "common/track/utf8_address.h"

#include "common/base/ascii.h"

#include <cstdint>

namespace mtrk {
namespace {

struct Character {
  char32_t code;
  std::size_t octets;  // 0 if the text does not start with well-formed UTF-8
};

// One character off the front, RFC 3629 §4: shortest form, no surrogates, up to U+10FFFF.
Character decode_front(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return {lead, 1};
  }
  const std::size_t octets = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || octets > text.size()) {
    return {0, 0};
  }
  char32_t code = lead & (0x7fU >> octets);
  for (std::size_t i = 1; i < octets; ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet & 0xc0U) != 0x80) {
      return {0, 0};
    }
    code = code << 6U | (octet & 0x3fU);
  }
  const bool shortest = octets == 2 || code >= (octets == 3 ? 0x800U : 0x10000U);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return shortest && !surrogate && code <= 0x10ffff ? Character{code, octets} : Character{0, 0};
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

bool stands_for_itself(char32_t code) {
  return code > 0x20 && code < 0x7f && code != '\\' && code != '+' && code != '=';
}

void put_escape(std::string& out, char32_t code) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  out += "\\x{";
  bool leading = true;
  for (unsigned shift = 24; shift > 0;) {
    shift -= 4;
    const char32_t digit = code >> shift & 15U;
    leading = leading && digit == 0 && shift >= 8;  // two digits at least
    if (!leading) {
      out += kHexDigits[digit];
    }
  }
  out += '}';
}

}  // namespace

std::string encode_utf8_address(std::string_view address, std::size_t limit) {
  std::string text;
  while (!address.empty() && text.size() <= limit) {
    const Character next = decode_front(address);
    address.remove_prefix(next.octets == 0 ? 1 : next.octets);
    if (next.octets == 0 || is_control(next.code)) {
      text += '?';
    } else if (stands_for_itself(next.code)) {
      text += static_cast<char>(next.code);
    } else {
      put_escape(text, next.code);
    }
  }
  return text;
}

}  // namespace mtrk
