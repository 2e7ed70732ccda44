#pragma once

#include <cstdint>
#include <string_view>

namespace mtrk::maillog {

inline constexpr std::uint64_t kHashPrime = 0x100000001B3;
inline constexpr std::uint64_t kHashBasis = 0xCBF29CE484222325;

// Returns the FNV-1a hash, which is the same in all builds, because stored traces hold it. It is no
// defence against someone who looks for collisions. What it distinguishes must therefore be a hint
// only, or be named truthfully by whoever writes the log.
[[nodiscard]] inline std::uint64_t stable_hash(std::string_view text,
                                               std::uint64_t hash = kHashBasis) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kHashPrime;
  }
  return hash;
}

}  // namespace mtrk::maillog
