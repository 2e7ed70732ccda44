#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

// These functions read and write amounts of octets as in the configuration: "16GiB", "512MiB",
// "4096". The units are binary (KiB, MiB, GiB, TiB), each 1024 times the one before. A unit such as
// "GB" is refused with a hint instead of being guessed.
namespace mtrk {

[[nodiscard]] Expected<std::uint64_t> parse_byte_size(std::string_view text);
[[nodiscard]] std::string format_byte_size(std::uint64_t octets);  // uses the largest exact unit

}  // namespace mtrk
