#include "common/base/ascii.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace mtrk {
namespace {

TEST(AsciiTest, ComparesWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(iequals("STARTTLS", "startTls"));
  EXPECT_FALSE(iequals("STARTTLS", "STARTTL"));
  EXPECT_FALSE(iequals("\xc3\x84", "\xc3\xa4"));  // Ä is not ä here
  EXPECT_FALSE(iequals("@", "`"));                // differ by the case bit, but are no letters
  EXPECT_TRUE(istarts_with("Envid=x", "ENVID="));
  EXPECT_FALSE(istarts_with("ENV", "ENVID="));
  EXPECT_TRUE(istarts_with("", ""));
}

TEST(AsciiTest, LowersLettersOnly) {
  EXPECT_EQ(to_lower("MX[1].Example\xc3\x84"), "mx[1].example\xc3\x84");
}

TEST(AsciiTest, TrimsBlanksAtBothEndsButNotLineBreaks) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("a\r\n"), "a\r\n");
}

TEST(AsciiTest, ClassesHoldNoOctetAboveAscii) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    EXPECT_EQ(is_printable(c), i >= 32 && i <= 126) << i;
    EXPECT_EQ(is_vchar(c), i >= 33 && i <= 126) << i;
    EXPECT_EQ(is_digit(c), i >= '0' && i <= '9') << i;
  }
}

TEST(AsciiTest, NumbersAreWholeAndInRange) {
  EXPECT_EQ(parse_number<unsigned>("0042"), 42U);
  EXPECT_EQ(parse_number<int>("-7"), -7);
  EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
  for (const char* bad : {"", " 1", "1 ", "+1", "1x", "-1", "256", "99999999999999999999"}) {
    EXPECT_EQ(parse_number<std::uint8_t>(bad), std::nullopt) << bad;
  }
}

TEST(AsciiTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escape_for_people("a\x1b[2Jb\r\n\xff"), "a\\x1b[2Jb\\x0d\\x0a\\xff");
}

TEST(AsciiTest, CutsLongTextAndNeverInsideAnEscape) {
  EXPECT_EQ(escape_for_people("abcdef", 6), "abcdef");
  EXPECT_EQ(escape_for_people("abcdefg", 6), "abcdef[cut]");
  EXPECT_EQ(escape_for_people("abc\n", 6), "abc[cut]");
  EXPECT_EQ(escape_for_people(std::string(100000, '\0')).size(), 512U + 5U);
}

}  // namespace
}  // namespace mtrk
