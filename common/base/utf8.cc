#include "common/base/utf8.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace mtrk {
namespace {

constexpr char kUtf8HexDigits[] = "0123456789abcdef";

struct CodeRange {
  char32_t first, last;
};

template <std::size_t N>
bool is_within(const CodeRange (&ranges)[N], char32_t code) {
  const auto* const range =
      std::lower_bound(std::begin(ranges), std::end(ranges), code,
                       [](const CodeRange& r, char32_t c) { return r.last < c; });
  return range != std::end(ranges) && range->first <= code;
}

constexpr CodeRange kHarmful[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2066, 0x206f}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

// These marks are drawn onto the character before them (general category Mn and Me, and characters
// without a width). The list covers the scripts that are common in mail.
constexpr CodeRange kDrawnOnto[] = {
    {0x300, 0x36f},   {0x483, 0x489},     {0x591, 0x5bd},   {0x5bf, 0x5bf},   {0x5c1, 0x5c2},
    {0x5c4, 0x5c5},   {0x610, 0x61a},     {0x64b, 0x65f},   {0x670, 0x670},   {0x6d6, 0x6dc},
    {0x6df, 0x6e4},   {0x6e7, 0x6e8},     {0x6ea, 0x6ed},   {0x900, 0x902},   {0x93a, 0x93a},
    {0x93c, 0x93c},   {0x941, 0x948},     {0x94d, 0x94d},   {0x951, 0x957},   {0xe31, 0xe31},
    {0xe34, 0xe3a},   {0xe47, 0xe4e},     {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
    {0x20d0, 0x20f0}, {0x302a, 0x302d},   {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

// These characters have the East Asian Width W or F (Unicode Standard Annex 11).
constexpr CodeRange kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x3029},
    {0x302e, 0x303e},   {0x3041, 0x3098},   {0x309b, 0x3247},   {0x3250, 0x4dbf},
    {0x4e00, 0xa4c6},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
    {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335},
    {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3},
    {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440},
    {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567},
    {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6df},
    {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

}  // namespace

Utf8Character decode_utf8(std::string_view text) {
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
  return shortest && !surrogate && code <= 0x10ffff ? Utf8Character{code, octets}
                                                    : Utf8Character{0, 0};
}

bool is_harmless(char32_t code) {
  return code < 0x7f ? code >= 0x20 : !is_within(kHarmful, code);
}

unsigned columns_of(char32_t code) {
  if (code < 0x300) {
    return 1;
  }
  return is_within(kDrawnOnto, code) ? 0 : is_within(kWide, code) ? 2 : 1;
}

std::string escape_for_display(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit));
  while (!text.empty()) {
    const Utf8Character next = decode_utf8(text);
    const bool shown = next.octets != 0 && is_harmless(next.code);
    const std::size_t taken = std::max<std::size_t>(next.octets, 1);
    if (out.size() + (shown ? taken : 4 * taken) > limit) {
      return out += "[cut]";
    }
    for (const char c : text.substr(0, taken)) {
      if (shown) {
        out += c;
      } else {
        const auto octet = static_cast<unsigned char>(c);
        out += {'\\', 'x', kUtf8HexDigits[octet >> 4], kUtf8HexDigits[octet & 15]};
      }
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::size_t display_columns(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Utf8Character next = decode_utf8(text);
    columns += next.octets == 0 ? 1 : columns_of(next.code);
    text.remove_prefix(std::max<std::size_t>(next.octets, 1));
  }
  return columns;
}

char* put_json_escape(char32_t code, char* out) {
  if (code > 0xffff) {
    code -= 0x10000;
    out = put_json_escape(0xd800 + (code >> 10U), out);
    return put_json_escape(0xdc00 + (code & 0x3ffU), out);
  }
  *out++ = '\\';
  *out++ = 'u';
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    *out++ = kUtf8HexDigits[code >> shift & 15U];
  }
  return out;
}

std::string escape_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Utf8Character next = decode_utf8(json);
    const std::size_t taken = std::max<std::size_t>(next.octets, 1);
    if (next.octets != 0 && (next.code == '\n' || is_harmless(next.code))) {
      out.append(json.substr(0, taken));
    } else {
      char escape[12];
      out.append(escape, put_json_escape(next.octets == 0 ? 0xfffd : next.code, escape));
    }
    json.remove_prefix(taken);
  }
  return out;
}

}  // namespace mtrk
