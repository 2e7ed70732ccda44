// Reads any octets as a run of record fields, the kind of each chosen by the octet before it, and
// writes what was read: the same octets must come out, since every value has one spelling.
#include "common/base/codec.h"

#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <typename T, typename Get, typename Put>
bool copy_field(std::string_view& in, std::string& out, Get get, Put put) {
  const std::string_view before = in;
  T value{};
  if (!get(in, value)) {
    require(in.data() == before.data() && in.size() == before.size());
    return false;
  }
  put(out, value);
  return true;
}

bool copy_one(std::uint8_t kind, std::string_view& in, std::string& out) {
  switch (kind % 6) {
    case 0:
      return copy_field<std::uint8_t>(in, out, mtrk::get_u8, mtrk::put_u8);
    case 1:
      return copy_field<std::uint16_t>(in, out, mtrk::get_u16, mtrk::put_u16);
    case 2:
      return copy_field<std::uint32_t>(in, out, mtrk::get_u32, mtrk::put_u32);
    case 3:
      return copy_field<std::uint64_t>(in, out, mtrk::get_u64, mtrk::put_u64);
    case 4:
      return copy_field<std::uint32_t>(in, out, mtrk::get_varint, mtrk::put_varint);
    default:
      return copy_field<std::string_view>(in, out, mtrk::get_text, mtrk::put_text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  std::string_view in = bytes;
  std::string out;
  std::uint8_t kind = 0;
  while (mtrk::get_u8(in, kind)) {
    mtrk::put_u8(out, kind);
    if (!copy_one(kind, in, out)) {
      return 0;
    }
  }
  require(out == bytes);
  return 0;
}
