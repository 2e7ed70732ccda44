#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

// These functions write and read the fields of stored records. put_x() appends a field to a buffer;
// get_x() takes a field from the front of a view and advances the view. If the view is too short,
// get_x() returns false and changes neither the view nor the value. Integers are big-endian, so
// that keys sort by value; counts and lengths are varints of at most five octets.
namespace mtrk {

void put_u8(std::string& out, std::uint8_t value);
void put_u16(std::string& out, std::uint16_t value);
void put_u32(std::string& out, std::uint32_t value);
void put_u64(std::string& out, std::uint64_t value);
void put_varint(std::string& out, std::uint32_t value);
void put_text(std::string& out, std::string_view text);  // a varint length, then the octets

// The readers are inline because a look-up decodes some forty fields.
namespace codec_detail {
template <typename T>
bool get_big_endian(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) {
    return false;
  }
  T result = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    result = static_cast<T>((std::uint64_t{result} << 8) | static_cast<unsigned char>(in[i]));
  }
  value = result;
  in.remove_prefix(sizeof(T));
  return true;
}
}  // namespace codec_detail

[[nodiscard]] inline bool get_u8(std::string_view& in, std::uint8_t& value) {
  return codec_detail::get_big_endian(in, value);
}
[[nodiscard]] inline bool get_u16(std::string_view& in, std::uint16_t& value) {
  return codec_detail::get_big_endian(in, value);
}
[[nodiscard]] inline bool get_u32(std::string_view& in, std::uint32_t& value) {
  return codec_detail::get_big_endian(in, value);
}
[[nodiscard]] inline bool get_u64(std::string_view& in, std::uint64_t& value) {
  return codec_detail::get_big_endian(in, value);
}

[[nodiscard]] inline bool get_varint(std::string_view& in, std::uint32_t& value) {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < 5 && i < in.size(); ++i) {
    const auto octet = static_cast<unsigned char>(in[i]);
    result |= std::uint64_t{octet & 0x7fU} << (7 * i);
    if ((octet & 0x80) != 0) {
      continue;
    }
    // Each value has one spelling: the last octet is not zero, and no bit above the 32nd is set.
    if ((octet == 0 && i > 0) || result > std::numeric_limits<std::uint32_t>::max()) {
      return false;
    }
    value = static_cast<std::uint32_t>(result);
    in.remove_prefix(i + 1);
    return true;
  }
  return false;
}

// Sets `text` to a view into the buffer that `in` points into.
[[nodiscard]] inline bool get_text(std::string_view& in, std::string_view& text) {
  std::string_view rest = in;
  std::uint32_t length = 0;
  if (!get_varint(rest, length) || rest.size() < length) {
    return false;
  }
  text = rest.substr(0, length);
  in = rest.substr(length);
  return true;
}

// Returns the CRC-32C (Castagnoli) of `bytes`, as iSCSI uses it: that of "123456789" is 0xE3069283.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace mtrk
