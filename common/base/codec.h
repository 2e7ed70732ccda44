#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Fields of a stored record: put_x appends to a buffer, get_x takes from the front of a view and
// advances it; get returns false, and leaves the value alone, when the view is too short. Integers
// are big-endian so that keys sort by value; counts and lengths are varints of at most five octets.
namespace mtrk {

void put_u8(std::string& out, std::uint8_t value);
void put_u16(std::string& out, std::uint16_t value);
void put_u32(std::string& out, std::uint32_t value);
void put_u64(std::string& out, std::uint64_t value);
void put_varint(std::string& out, std::uint32_t value);
void put_text(std::string& out, std::string_view text);  // varint length, then the octets

[[nodiscard]] bool get_u8(std::string_view& in, std::uint8_t& value);
[[nodiscard]] bool get_u16(std::string_view& in, std::uint16_t& value);
[[nodiscard]] bool get_u32(std::string_view& in, std::uint32_t& value);
[[nodiscard]] bool get_u64(std::string_view& in, std::uint64_t& value);
[[nodiscard]] bool get_varint(std::string_view& in, std::uint32_t& value);
[[nodiscard]] bool get_text(std::string_view& in, std::string_view& text);  // a view into `in`

// CRC-32C (Castagnoli), as in iSCSI: the checksum of "123456789" is 0xE3069283.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace mtrk
