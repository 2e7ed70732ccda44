#pragma once

#include <cstdint>
#include <string_view>

namespace mtrk::maillog {

inline constexpr std::uint64_t kHashPrime = 0x100000001B3;
inline constexpr std::uint64_t kHashBasis = 0xCBF29CE484222325;

// FNV-1a: the same in all builds, since stored traces hold its values. No defence against somebody
// who looks for collisions: what it tells apart has to be a hint only, or to be named truly by
// whoever writes the log.
[[nodiscard]] inline std::uint64_t stable_hash(std::string_view text,
                                               std::uint64_t hash = kHashBasis) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kHashPrime;
  }
  return hash;
}

}  // namespace mtrk::maillog
