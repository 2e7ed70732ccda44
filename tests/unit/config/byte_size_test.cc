#include "common/config/byte_size.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(ByteSizeTest, UnitsAreBinary) {
  EXPECT_EQ(parse_byte_size("0"), 0U);
  EXPECT_EQ(parse_byte_size("4096"), 4096U);
  EXPECT_EQ(parse_byte_size("1KiB"), 1024U);
  EXPECT_EQ(parse_byte_size("512MiB"), 536870912U);
  EXPECT_EQ(parse_byte_size("16GiB"), 17179869184U);
  EXPECT_EQ(parse_byte_size("2TiB"), 2199023255552U);
  EXPECT_EQ(parse_byte_size("18446744073709551615"), 18446744073709551615U);
}

TEST(ByteSizeTest, NothingIsGuessed) {
  for (const char* bad : {"", "GiB", "16GB", "16G", "16gib", "16 GiB", " 1", "1 ", "-1", "+1",
                          "1.5GiB", "1e9", "0x10", "1GiB2"}) {
    EXPECT_FALSE(parse_byte_size(bad).has_value()) << bad;
  }
}

TEST(ByteSizeTest, OverflowIsOutOfRange) {
  for (const char* bad : {"18446744073709551616", "16777216TiB", "99999999999999999999KiB"}) {
    const Expected<std::uint64_t> size = parse_byte_size(bad);
    ASSERT_FALSE(size.has_value()) << bad;
    EXPECT_EQ(size.error().code, ErrorCode::out_of_range) << bad;
  }
}

TEST(ByteSizeTest, FormatsExactlyAndReadsBack) {
  EXPECT_EQ(format_byte_size(0), "0");
  EXPECT_EQ(format_byte_size(1), "1");
  EXPECT_EQ(format_byte_size(1536), "1536");
  EXPECT_EQ(format_byte_size(17179869184), "16GiB");
  EXPECT_EQ(format_byte_size(1536U << 20), "1536MiB");
  for (std::uint64_t n = 1; n < (std::uint64_t{1} << 62); n = n * 5 / 2 + 1) {
    EXPECT_EQ(parse_byte_size(format_byte_size(n)), n);
  }
}

}  // namespace
}  // namespace mtrk
