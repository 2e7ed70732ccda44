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

// Returns the digits without their pad. A pad that does not belong there stays, and then counts as
// a foreign character.
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

Expected<std::size_t> decode_base64(std::string_view text, std::span<char> bytes) {
  const std::string_view digits =
      without_pad(text);  // a wrong pad stays and counts as a foreign character
  const std::size_t rest = digits.size() % 4;
  if (rest == 1) {
    return fail(ErrorCode::syntax, "not base64: impossible length");
  }
  const std::size_t size = digits.size() / 4 * 3 + (rest == 0 ? 0 : rest - 1);
  if (size > bytes.size()) {
    return fail(ErrorCode::too_long, "not enough room for what base64 holds");
  }
  const auto value = [&digits](std::size_t i) -> std::uint32_t {
    return kValues[static_cast<unsigned char>(digits[i])];
  };
  // These are the bits above the six of a digit; they are checked once, at the end.
  std::uint32_t foreign = 0;
  char* out = bytes.data();
  std::size_t i = 0;
  for (; i + 4 <= digits.size(); i += 4) {
    const std::uint32_t v[4] = {value(i), value(i + 1), value(i + 2), value(i + 3)};
    foreign |= v[0] | v[1] | v[2] | v[3];
    const std::uint32_t bits = v[0] << 18U | v[1] << 12U | v[2] << 6U | v[3];
    *out++ = static_cast<char>(bits >> 16U & 255U);
    *out++ = static_cast<char>(bits >> 8U & 255U);
    *out++ = static_cast<char>(bits & 255U);
  }
  if (rest != 0) {
    const std::uint32_t v[3] = {value(i), value(i + 1), rest == 3 ? value(i + 2) : 0};
    foreign |= v[0] | v[1] | v[2];
    *out++ = static_cast<char>((v[0] << 2U | v[1] >> 4U) & 255U);
    if (rest == 3) {
      *out = static_cast<char>((v[1] << 4U | v[2] >> 2U) & 255U);
    }
  }
  if (foreign > 63) {
    return fail(ErrorCode::syntax, "not base64: a forbidden character");
  }
  return size;
}

Expected<std::string> decode_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 2, '\0');
  const Expected<std::size_t> size = decode_base64(text, bytes);
  if (!size) {
    return Unexpected(size.error());
  }
  bytes.resize(*size);
  return bytes;
}

}  // namespace mtrk
