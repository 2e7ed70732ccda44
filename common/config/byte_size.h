#pragma once

#include "common/base/expected.h"

#include <cstdint>
#include <string>
#include <string_view>

// Amounts of octets as the configuration writes them: "16GiB", "512MiB", "4096". Units are the
// binary ones (KiB, MiB, GiB, TiB), each a factor of 1024, because that is what they will be used
// as; "GB" is refused with a hint rather than guessed.
namespace mtrk {

[[nodiscard]] Expected<std::uint64_t> parse_byte_size(std::string_view text);
[[nodiscard]] std::string format_byte_size(std::uint64_t octets);  // the largest unit that is exact

}  // namespace mtrk
