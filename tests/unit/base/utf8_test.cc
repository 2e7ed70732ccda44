#include "common/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

TEST(Utf8Test, ReadsWellFormedCharactersOnly) {
  const auto code = [](std::string_view text) { return decode_utf8(text).code; };
  EXPECT_EQ(code("a"), U'a');
  EXPECT_EQ(code("\xC3\xB6"), 0xf6U);
  EXPECT_EQ(code("\xE2\x82\xAC"), 0x20acU);
  EXPECT_EQ(code("\xF4\x8F\xBF\xBF"), 0x10ffffU);
  for (const std::string_view bad :
       {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(decode_utf8(bad).octets, 0U) << testing::PrintToString(std::string(bad));
  }
}

TEST(Utf8Test, KnowsWhatSteersATerminalOrItsReader) {
  for (const char32_t bad :
       {0x00U, 0x07U, 0x1bU, 0x7fU, 0x80U, 0x85U, 0x9bU, 0x9fU, 0x61cU, 0x200eU, 0x200fU, 0x2028U,
        0x2029U, 0x202aU, 0x202eU, 0x2066U, 0x2069U, 0xe0041U}) {
    EXPECT_FALSE(is_harmless(bad)) << std::hex << static_cast<unsigned>(bad);
  }
  for (const char32_t good : {U' ', U'~', U'\u00a0', U'\u00fc', U'\u0620', U'\u200b', U'\u2010',
                              U'\u2030', U'\u20ac', U'\u4f8b', U'\U0001f4ec'}) {
    EXPECT_TRUE(is_harmless(good)) << std::hex << static_cast<unsigned>(good);
  }
}

TEST(Utf8Test, ShowsWhatIsHarmlessAsItIs) {
  EXPECT_EQ(escape_for_display("büro@例え.example"), "büro@例え.example");
  EXPECT_EQ(escape_for_display("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  EXPECT_EQ(escape_for_display("\xC2\x9B[2J"), "\\xc2\\x9b[2J");
  EXPECT_EQ(escape_for_display("a\u202eb"), "a\\xe2\\x80\\xaeb");
  EXPECT_EQ(escape_for_display("\xFF\xC3(\xE4\xBE"), "\\xff\\xc3(\\xe4\\xbe");
}

TEST(Utf8Test, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(escape_for_display("aüb", 4), "aüb");
  EXPECT_EQ(escape_for_display("aüb", 3), "aü[cut]");
  EXPECT_EQ(escape_for_display("aüb", 2), "a[cut]");
  EXPECT_EQ(escape_for_display("abc\n", 6), "abc[cut]");
}

TEST(Utf8Test, CountsColumns) {
  EXPECT_EQ(display_columns("abc"), 3U);
  EXPECT_EQ(display_columns("büro"), 4U);
  EXPECT_EQ(display_columns("bu\u0308ro"), 4U);  // drawn onto the letter before
  EXPECT_EQ(display_columns("例え"), 4U);
  EXPECT_EQ(display_columns("\u1112\uff21"), 4U);
  EXPECT_EQ(display_columns("\U0001f4ec"), 2U);
  EXPECT_EQ(display_columns(""), 0U);
}

TEST(Utf8Test, EscapesWithinJson) {
  EXPECT_EQ(escape_json("{\"k\":\"ü\"}\n{}\n"), "{\"k\":\"ü\"}\n{}\n");
  EXPECT_EQ(escape_json("[\"\x7f\u009b\u202e\u2028\"]"), "[\"\\u007f\\u009b\\u202e\\u2028\"]");
  EXPECT_EQ(escape_json("[\"\U000e0041\xFF\"]"), "[\"\\udb40\\udc41\\ufffd\"]");
}

// No octets whatever give a text that a terminal obeys.
TEST(Utf8Test, LeavesNothingHarmful) {
  std::string all;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; b += 3) {
      all += static_cast<char>(a);
      all += static_cast<char>(b);
      all += static_cast<char>(a ^ b);
    }
  }
  const std::string kept = escape_for_display(all, 4 * all.size());
  std::string_view shown = kept;
  while (!shown.empty()) {
    const Utf8Character next = decode_utf8(shown);
    ASSERT_NE(next.octets, 0U);
    ASSERT_TRUE(is_harmless(next.code));
    shown.remove_prefix(next.octets);
  }
}

}  // namespace
}  // namespace mtrk
