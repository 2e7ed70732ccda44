#include "common/track/xtext.h"

#include "common/base/ascii.h"

namespace mtrk {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

constexpr bool is_xchar(char c) {
  return is_vchar(c) && c != '+' && c != '=';
}

// Returns -1 for anything but a digit or an upper-case letter A to F, as in the grammar.
constexpr int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string encode_xtext(std::string_view text) {
  std::string xtext;
  xtext.reserve(text.size());
  for (const char c : text) {
    if (is_xchar(c)) {
      xtext += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    xtext += '+';
    xtext += kHexDigits[octet >> 4U];
    xtext += kHexDigits[octet & 15U];
  }
  return xtext;
}

Expected<std::string> decode_xtext(std::string_view xtext) {
  std::string text(xtext.size(), '\0');
  char* out = text.data();
  for (std::size_t i = 0; i < xtext.size(); ++i) {
    const char c = xtext[i];
    if (is_xchar(c)) {
      *out++ = c;
      continue;
    }
    if (c != '+') {
      return fail(ErrorCode::syntax, "not xtext: a forbidden octet");
    }
    const int high = i + 2 < xtext.size() ? hex_value(xtext[i + 1]) : -1;
    const int low = i + 2 < xtext.size() ? hex_value(xtext[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return fail(ErrorCode::syntax, "not xtext: '+' without two upper-case hexadecimal digits");
    }
    *out++ = static_cast<char>(high * 16 + low);
    i += 2;
  }
  text.resize(static_cast<std::size_t>(out - text.data()));
  return text;
}

}  // namespace mtrk
