#pragma once

#include "common/base/bytes.h"

#include <string_view>

// These are the two digests of the protocol and of the store. Every TRACK needs both, so the
// algorithms are fetched once and each thread keeps one context: a call allocates nothing. Both
// functions throw std::runtime_error if OpenSSL has no such digest (because its providers are
// configured without it).
namespace mtrk {

[[nodiscard]] Digest20 sha1(std::string_view octets);
[[nodiscard]] Digest32 sha256(std::string_view octets);

}  // namespace mtrk
