#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

// This is the base64 of RFC 2045 with the strict alphabet A-Z a-z 0-9 + / and without white space
//
namespace mtrk {

enum class Padding { with, without };

[[nodiscard]] std::string encode_base64(std::string_view bytes, Padding padding);

// Decodes base64. The pad may be missing or complete, and non-zero trailing bits are accepted
// . Fails on foreign characters, on an inner or partial pad, and on a length of 4n+1.
[[nodiscard]] Expected<std::string> decode_base64(std::string_view text);
// Decodes into the front of `bytes` and returns the number of octets. Fails also if `bytes` is too
// short. After a failure the content of `bytes` is undefined.
[[nodiscard]] Expected<std::size_t> decode_base64(std::string_view text, std::span<char> bytes);

}  // namespace mtrk
