#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// Eight octets at a time in one register, for the few places that read every octet of a log: the
// length of what they look for varies from line to line, so a loop over single octets costs a
// mispredicted branch each time.
namespace mtrk::octets {

constexpr std::size_t kWord = 8;
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x8080808080808080;

// The octets from `p` on, the first one lowest. All of them must be readable.
[[nodiscard]] inline std::uint64_t load(const char* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  if constexpr (std::endian::native == std::endian::big) {
    word = __builtin_bswap64(word);
  }
  return word;
}

// A mask has the high bit of an octet set where something holds of it.

[[nodiscard]] constexpr std::uint64_t equal_to(std::uint64_t word, char c) {
  const std::uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
  return ~(((x & ~kHigh) + ~kHigh) | x) & kHigh;
}
// Where low <= octet <= high, for ASCII `low` and `high`.
[[nodiscard]] constexpr std::uint64_t between(std::uint64_t word, char low, char high) {
  const std::uint64_t ascii = word & ~kHigh;
  const std::uint64_t not_below = ascii + kOnes * (0x80U - static_cast<unsigned char>(low));
  const std::uint64_t above = ascii + kOnes * (0x7FU - static_cast<unsigned char>(high));
  return not_below & ~above & ~word & kHigh;
}
// The number of octets before the first of a mask, 8 if it is empty.
[[nodiscard]] constexpr std::size_t before_first(std::uint64_t mask) {
  return static_cast<std::size_t>(std::countr_zero(mask)) / 8;
}
// The number of octets behind the last of a mask, 8 if it is empty.
[[nodiscard]] constexpr std::size_t after_last(std::uint64_t mask) {
  return static_cast<std::size_t>(std::countl_zero(mask)) / 8;
}
// All bits of the first `count` octets.
[[nodiscard]] constexpr std::uint64_t first(std::size_t count) {
  return count < kWord ? (std::uint64_t{1} << 8 * count) - 1 : ~std::uint64_t{0};
}

// Where the first `c` is, text.size() if it is nowhere. For what is near: memchr() starts slower,
// and is faster from some 30 octets on.
[[nodiscard]] inline std::size_t find_near(std::string_view text, char c) {
  std::size_t i = 0;
  for (; i + kWord <= text.size(); i += kWord) {
    if (const std::uint64_t found = equal_to(load(text.data() + i), c); found != 0) {
      return i + before_first(found);
    }
  }
  while (i < text.size() && text[i] != c) {
    ++i;
  }
  return i;
}

}  // namespace mtrk::octets
