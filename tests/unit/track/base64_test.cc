#include "common/track/base64.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

struct Pair {
  std::string_view bytes;
  std::string_view padded;
};
constexpr Pair kPairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xff\xfe", "///+"},
};

TEST(Base64Test, EncodesAndDecodesWithAndWithoutPad) {  // MTRK-1-02, ABNF-04
  for (const Pair& pair : kPairs) {
    const std::string bare(pair.padded.substr(0, pair.padded.find('=')));
    EXPECT_EQ(encode_base64(pair.bytes, Padding::with), pair.padded);
    EXPECT_EQ(encode_base64(pair.bytes, Padding::without), bare);
    EXPECT_EQ(decode_base64(pair.padded).value(), pair.bytes);
    EXPECT_EQ(decode_base64(bare).value(), pair.bytes);
  }
}

TEST(Base64Test, RefusesForeignCharactersAndWrongPads) {  // A-36, ABNF-12
  for (const std::string_view text : {"Zg=", "Zg===", "Z", "Zm9vY", "=", "==", "====", "Zm=v",
                                      "Zm9v=", "Zm9v==", "Zm9v====", "Zm-v", "Zm_v", "Zm 9v",
                                      "Zm9v\r\n", " Zm9v", "Zm9\x80", "Zg==Zg=="}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

TEST(Base64Test, AcceptsNonZeroTrailingBits) {  // on input only
  EXPECT_EQ(decode_base64("Zh==").value(), "f");
  EXPECT_EQ(decode_base64("Zm9").value(), "fo");
}

TEST(Base64Test, DecodesEveryOctet) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    EXPECT_EQ(decode_base64(encode_base64(all, Padding::with)).value(), all);
    EXPECT_EQ(decode_base64(encode_base64(all, Padding::without)).value(), all);
  }
}

}  // namespace
}  // namespace mtrk
