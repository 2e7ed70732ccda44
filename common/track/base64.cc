#include "common/track/base64.h"

#include <array>
#include <cstdint>

namespace mtrk {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kForeign);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

// The digits without their pad; nothing if a pad is there but not the one that belongs there.
std::string_view without_pad(std::string_view text) {
  std::size_t pad = 0;
  while (pad < 2 && pad < text.size() && text[text.size() - 1 - pad] == '=') {
    ++pad;
  }
  return pad != 0 && text.size() % 4 == 0 ? text.substr(0, text.size() - pad) : text;
}

}  // namespace

std::string encode_base64(std::string_view bytes, Padding padding) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;  // bits not yet written, in the low end
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      text += kAlphabet[bits >> held & 63U];
    }
  }
  if (held != 0) {
    text += kAlphabet[bits << (6 - held) & 63U];
  }
  while (padding == Padding::with && text.size() % 4 != 0) {
    text += '=';
  }
  return text;
}

Expected<std::string> decode_base64(std::string_view text) {
  const std::string_view digits =
      without_pad(text);  // a wrong pad stays and is a foreign character
  if (digits.size() % 4 == 1) {
    return fail(ErrorCode::syntax, "not base64: impossible length");
  }
  std::string bytes;
  bytes.reserve(digits.size() / 4 * 3 + 2);  // one allocation: a secret leaves no copies behind
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kForeign) {
      return fail(ErrorCode::syntax, "not base64: a forbidden character");
    }
    bits = bits << 6U | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 255U);
    }
  }
  return bytes;
}

}  // namespace mtrk
