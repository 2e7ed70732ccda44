#pragma once

#include "common/base/bytes.h"

#include <string_view>

// The two digests of the protocol and of the store. Both are on the path of every TRACK: the
// algorithms are fetched once and each thread keeps one context, so a call allocates nothing.
// Throws std::runtime_error if OpenSSL has no such digest (a provider configuration without it).
namespace mtrk {

[[nodiscard]] Digest20 sha1(std::string_view octets);
[[nodiscard]] Digest32 sha256(std::string_view octets);

}  // namespace mtrk
