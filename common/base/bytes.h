#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Raw octets are passed as std::string_view: this needs no casts, and all parsers here read text
// anyway. Digests have a fixed size and are arrays.
namespace mtrk {

using Digest20 = std::array<std::uint8_t, 20>;
using Digest32 = std::array<std::uint8_t, 32>;

template <std::size_t N>
[[nodiscard]] inline std::string_view as_text(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mtrk
