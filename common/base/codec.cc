#include "common/base/codec.h"

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include <array>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <limits>

namespace mtrk {

namespace {

template <typename T>
void put_big_endian(std::string& out, T value) {
  char octets[sizeof(T)];
  for (std::size_t i = sizeof(T); i-- > 0;) {
    octets[i] = static_cast<char>(value & 0xff);
    value = static_cast<T>(value >> 8);
  }
  out.append(octets, sizeof(T));
}

// The checksum is computed by slicing by eight. Table 0 is the usual table of octets; table n is
// table 0 after n more zero octets, so that eight octets take eight independent look-ups.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78;
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
    }
    tables[0][i] = crc;
  }
  for (std::size_t n = 1; n < tables.size(); ++n) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t previous = tables[n - 1][i];
      tables[n][i] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

std::uint32_t load_little_endian(const char* p) {
  unsigned char b[4];
  std::memcpy(b, p, sizeof b);
  return std::uint32_t{b[0]} | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 |
         std::uint32_t{b[3]} << 24;
}

std::uint32_t crc32c_by_table(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  while (bytes.size() >= 8) {
    const std::uint32_t low = crc ^ load_little_endian(bytes.data());
    const std::uint32_t high = load_little_endian(bytes.data() + 4);
    crc = kCrc[7][low & 0xff] ^ kCrc[6][(low >> 8) & 0xff] ^ kCrc[5][(low >> 16) & 0xff] ^
          kCrc[4][low >> 24] ^ kCrc[3][high & 0xff] ^ kCrc[2][(high >> 8) & 0xff] ^
          kCrc[1][(high >> 16) & 0xff] ^ kCrc[0][high >> 24];
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kCrc[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~crc;
}

#ifdef __x86_64__
// SSE 4.2 has an instruction for this polynomial.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_processor(std::string_view bytes) {
  std::uint64_t crc = 0xffffffff;
  while (bytes.size() >= 8) {
    std::uint64_t octets = 0;
    std::memcpy(&octets, bytes.data(), sizeof octets);
    crc = _mm_crc32_u64(crc, octets);
    bytes.remove_prefix(8);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (const char c : bytes) {
    rest = _mm_crc32_u8(rest, static_cast<unsigned char>(c));
  }
  return ~rest;
}

using Crc32c = std::uint32_t (*)(std::string_view);
const Crc32c compute_crc32c =
    __builtin_cpu_supports("sse4.2") ? crc32c_by_processor : crc32c_by_table;
#else
constexpr auto compute_crc32c = crc32c_by_table;
#endif

}  // namespace

void put_u8(std::string& out, std::uint8_t value) {
  put_big_endian(out, value);
}
void put_u16(std::string& out, std::uint16_t value) {
  put_big_endian(out, value);
}
void put_u32(std::string& out, std::uint32_t value) {
  put_big_endian(out, value);
}
void put_u64(std::string& out, std::uint64_t value) {
  put_big_endian(out, value);
}

void put_varint(std::string& out, std::uint32_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_text(std::string& out, std::string_view text) {
  assert(text.size() <= std::numeric_limits<std::uint32_t>::max());
  put_varint(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::uint32_t crc32c(std::string_view bytes) {
  return compute_crc32c(bytes);
}

}  // namespace mtrk
