#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Raw octets travel as std::string_view: no casts, and every parser of ours reads text anyway.
// Fixed-size digests are arrays.
namespace mtrk {

using Digest20 = std::array<std::uint8_t, 20>;
using Digest32 = std::array<std::uint8_t, 32>;

template <std::size_t N>
[[nodiscard]] inline std::string_view as_text(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mtrk
