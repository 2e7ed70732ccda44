#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// These functions examine eight octets at a time in one register. They serve the few places that
// read every octet of a log: the length of what those look for varies from line to line, so that a
// loop over single octets would mispredict a branch each time.
namespace mtrk::octets {

constexpr std::size_t kWord = 8;
constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x8080808080808080;

// Loads the eight octets at `p`, the first one into the lowest bits. All eight must be readable.
[[nodiscard]] inline std::uint64_t load(const char* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  if constexpr (std::endian::native == std::endian::big) {
    word = __builtin_bswap64(word);
  }
  return word;
}

// The functions below return masks. In a mask the high bit of an octet is set if the condition
// holds for that octet.

[[nodiscard]] constexpr std::uint64_t equal_to(std::uint64_t word, char c) {
  const std::uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
  return ~(((x & ~kHigh) + ~kHigh) | x) & kHigh;
}
// The condition is low <= octet <= high, for ASCII `low` and `high`.
[[nodiscard]] constexpr std::uint64_t between(std::uint64_t word, char low, char high) {
  const std::uint64_t ascii = word & ~kHigh;
  const std::uint64_t not_below = ascii + kOnes * (0x80U - static_cast<unsigned char>(low));
  const std::uint64_t above = ascii + kOnes * (0x7FU - static_cast<unsigned char>(high));
  return not_below & ~above & ~word & kHigh;
}
// Returns the number of octets before the first one in the mask, or 8 if the mask is empty.
[[nodiscard]] constexpr std::size_t before_first(std::uint64_t mask) {
  return static_cast<std::size_t>(std::countr_zero(mask)) / 8;
}
// Returns the number of octets after the last one in the mask, or 8 if the mask is empty.
[[nodiscard]] constexpr std::size_t after_last(std::uint64_t mask) {
  return static_cast<std::size_t>(std::countl_zero(mask)) / 8;
}
// Returns a word in which all bits of the first `count` octets are set.
[[nodiscard]] constexpr std::uint64_t first(std::size_t count) {
  return count < kWord ? (std::uint64_t{1} << 8 * count) - 1 : ~std::uint64_t{0};
}

// Returns the position of the first `c`, or text.size() if there is none. It is meant for short
// distances: memchr() is slower to start, and faster from some 30 octets on.
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
