#pragma once

#include "common/base/expected.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

// Base64 of RFC 2045 with the strict alphabet A-Z a-z 0-9 + / and no white space.
namespace mtrk {

enum class Padding { with, without };

[[nodiscard]] std::string encode_base64(std::string_view bytes, Padding padding);

// The pad may be missing, or complete; non-zero trailing bits are accepted. Fails: foreign
// characters, an inner or partial pad, a length of 4n+1.
[[nodiscard]] Expected<std::string> decode_base64(std::string_view text);
// The same into the front of `bytes`; returns how many octets there are. Fails also if there is no
// room for them. After a failure the content of `bytes` means nothing.
[[nodiscard]] Expected<std::size_t> decode_base64(std::string_view text, std::span<char> bytes);

}  // namespace mtrk
