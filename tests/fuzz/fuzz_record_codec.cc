// Any octets as a record of the store, as they are and under a checksum that is right: nothing
// crashes, and what is accepted survives being written and read again.
#include "common/base/codec.h"
#include "common/store/record_codec.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <typename Encode, typename Decode>
void check(const std::string& record, Encode encode, Decode decode) {
  const auto value = decode(record);
  if (!value) {
    return;
  }
  std::string once;
  encode(*value, once);
  const auto again = decode(once);
  require(again.has_value());
  std::string twice;
  encode(*again, twice);
  require(once == twice);
}

void check_all(const std::string& record) {
  using namespace mtrk::store;
  check(record, encode_message, decode_message);
  check(record, encode_trace, decode_trace);
  check(record, encode_cursor, decode_cursor);
  check(record, encode_number, decode_number);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string record(data, data + size);
  check_all(record);
  mtrk::put_u32(record, mtrk::crc32c(record));
  check_all(record);
  return 0;
}
