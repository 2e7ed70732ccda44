#include "common/base/codec.h"

#include <gtest/gtest.h>

#include <limits>

namespace mtrk {
namespace {

TEST(CodecTest, IntegersAreBigEndianSoThatKeysSort) {
  std::string out;
  put_u8(out, 0x01);
  put_u16(out, 0x0203);
  put_u32(out, 0x04050607);
  put_u64(out, 0x08090a0b0c0d0e0f);
  EXPECT_EQ(out, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");

  std::string_view in = out;
  std::uint8_t a = 0;
  std::uint16_t b = 0;
  std::uint32_t c = 0;
  std::uint64_t d = 0;
  ASSERT_TRUE(get_u8(in, a) && get_u16(in, b) && get_u32(in, c) && get_u64(in, d));
  EXPECT_EQ(a, 0x01);
  EXPECT_EQ(b, 0x0203);
  EXPECT_EQ(c, 0x04050607U);
  EXPECT_EQ(d, 0x08090a0b0c0d0e0fU);
  EXPECT_TRUE(in.empty());
}

TEST(CodecTest, ShortInputChangesNeitherValueNorView) {
  std::string out;
  put_u64(out, 1);
  put_text(out, "seven..");
  for (std::size_t length = 0; length < out.size(); ++length) {
    std::string_view in = std::string_view(out).substr(0, length);
    std::uint64_t number = 99;
    std::string_view text = "untouched";
    if (!get_u64(in, number)) {
      EXPECT_EQ(number, 99U);
      EXPECT_EQ(in.size(), length);
    } else {
      const std::size_t before = in.size();
      EXPECT_FALSE(get_text(in, text));
      EXPECT_EQ(text, "untouched");
      EXPECT_EQ(in.size(), before);
    }
  }
}

TEST(CodecTest, VarintsRoundTripAtEveryWidth) {
  const std::pair<std::uint32_t, std::size_t> table[] = {
      {0, 1},
      {1, 1},
      {0x7f, 1},
      {0x80, 2},
      {0x3fff, 2},
      {0x4000, 3},
      {0x1fffff, 3},
      {0x200000, 4},
      {0xfffffff, 4},
      {0x10000000, 5},
      {std::numeric_limits<std::uint32_t>::max(), 5},
  };
  for (const auto& [value, octets] : table) {
    std::string out;
    put_varint(out, value);
    EXPECT_EQ(out.size(), octets) << value;
    std::string_view in = out;
    std::uint32_t back = ~value;
    ASSERT_TRUE(get_varint(in, back)) << value;
    EXPECT_EQ(back, value);
    EXPECT_TRUE(in.empty());
  }
}

TEST(CodecTest, VarintHasOneSpellingAndThirtyTwoBits) {
  using std::literals::operator""sv;
  for (const std::string_view bad : {
           ""sv, "\x80"sv,
           "\x80\x00"sv,                  // zero, spelled longer
           "\xff\xff\xff\xff\x10"sv,      // 33 bits
           "\xff\xff\xff\xff\xff\x01"sv,  // six octets
       }) {
    std::string_view in = bad;
    std::uint32_t value = 7;
    EXPECT_FALSE(get_varint(in, value));
    EXPECT_EQ(value, 7U);
    EXPECT_EQ(in.size(), bad.size());
  }
}

TEST(CodecTest, TextIsAViewIntoTheInput) {
  std::string out;
  put_text(out, "");
  put_text(out, std::string(300, 'x'));
  std::string_view in = out;
  std::string_view text;
  ASSERT_TRUE(get_text(in, text));
  EXPECT_TRUE(text.empty());
  ASSERT_TRUE(get_text(in, text));
  EXPECT_EQ(text.size(), 300U);
  EXPECT_EQ(text.data(), out.data() + 3);
}

TEST(CodecTest, Crc32cOfTheIscsiVectors) {  // RFC 3720 B.4
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
  }
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
}

TEST(CodecTest, Crc32cOfEveryLengthAndAlignmentIsTheBitwiseOne) {
  const auto bitwise = [](std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : bytes) {
      crc ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
      }
    }
    return ~crc;
  };
  std::string bytes;
  for (unsigned i = 0; i < 80; ++i) {
    bytes += static_cast<char>((i * 167 + 13) & 0xff);
  }
  for (std::size_t start = 0; start < 8; ++start) {
    for (std::size_t length = 0; length <= 64; ++length) {
      const std::string_view part = std::string_view(bytes).substr(start, length);
      EXPECT_EQ(crc32c(part), bitwise(part)) << start << ' ' << length;
    }
  }
}

}  // namespace
}  // namespace mtrk
