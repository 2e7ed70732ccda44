#include "common/track/utf8_address.h"

#include "common/base/ascii.h"
#include "common/base/utf8.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace mtrk {
namespace {

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
    leading = leading && digit == 0 && shift >= 8;  // at least two digits are written
    if (!leading) {
      out += kHexDigits[digit];
    }
  }
  out += '}';
}

struct Range {
  char32_t first, last;
};
// These characters are invisible or affect the text beside them: Unicode's general categories Cc,
// Cf, Cs, Co, Zl, Zp and Zs, variation selectors, and fillers that look like blanks.
constexpr Range kUnseen[] = {
    {0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},       {0x34f, 0x34f},
    {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},
    {0x890, 0x891},     {0x8e2, 0x8e2},     {0x115f, 0x1160},   {0x1680, 0x1680},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},   {0x2028, 0x202f},
    {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
    {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
};

bool can_be_seen(char32_t code) {
  const auto* const range = std::find_if(std::begin(kUnseen), std::end(kUnseen),
                                         [code](const Range& r) { return code <= r.last; });
  const bool noncharacter = (code & 0xfffeU) == 0xfffe;
  return (range == std::end(kUnseen) || code < range->first) && code <= 0x10ffff && !noncharacter;
}

void put_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t octet) { out += static_cast<char>(octet); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | code >> 6U);
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3fU));
    put(0x80U | (code >> 6U & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

// Decodes an escape like "\x{3B4}" at the front of the text. The result has no octets if there is
// none.
Utf8Character unescape_front(std::string_view text) {
  constexpr std::size_t kMostDigits = 6;
  if (!text.starts_with("\\x{")) {
    return {0, 0};
  }
  const std::size_t end = text.substr(0, 3 + kMostDigits + 1).find('}');
  if (end == std::string_view::npos) {
    return {0, 0};
  }
  const auto code = parse_number<std::uint32_t>(text.substr(3, end - 3), 16);
  return code && *code <= 0x10ffff ? Utf8Character{*code, end + 1} : Utf8Character{0, 0};
}

}  // namespace

std::string encode_utf8_address(std::string_view address, std::size_t limit) {
  std::string text;
  while (!address.empty() && text.size() <= limit) {
    const Utf8Character next = decode_utf8(address);
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

std::string show_utf8_address(std::string_view address, bool escaped, std::size_t limit) {
  std::string text;
  while (!address.empty()) {
    if (text.size() >= limit) {
      return text + "[cut]";
    }
    Utf8Character next = escaped ? unescape_front(address) : Utf8Character{0, 0};
    if (next.octets == 0) {
      next = decode_utf8(address);
    }
    if (next.octets == 0) {
      text += escape_for_people(address.substr(0, 1));
      address.remove_prefix(1);
      continue;
    }
    if (can_be_seen(next.code)) {
      put_utf8(text, next.code);
    } else {
      put_escape(text, next.code);
    }
    address.remove_prefix(next.octets);
  }
  return text;
}

}  // namespace mtrk
