#include "common/track/utf8_address.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

std::string show(const std::string& address) {
  return show_utf8_address(address, true, 320);
}

TEST(ShownAddressTest, EscapesBecomeCharacters) {  // RFC 6533 §3
  EXPECT_EQ(show("\\x{3B4}\\x{3BF}@\\x{3C0}.test"), "\u03b4\u03bf@\u03c0.test");
  EXPECT_EQ(show("\\x{1F600}@x.test"), "\U0001F600@x.test");
  EXPECT_EQ(show("a\\x{5C}b\\x{2B}@x.test"), "a\\b+@x.test");
  EXPECT_EQ(show("\u03b4@x.test"), "\u03b4@x.test");  // unescaped is well, too
}

TEST(ShownAddressTest, OnlyInAddressesOfThatType) {
  EXPECT_EQ(show_utf8_address("\\x{3B4}@x.test", false, 320), "\\x{3B4}@x.test");
  EXPECT_EQ(show_utf8_address("\u03b4@x.test", false, 320), "\u03b4@x.test");
}

TEST(ShownAddressTest, WhatCannotBeSeenStaysEscaped) {
  for (const char* escape :
       {"\\x{00}",    "\\x{1B}",    "\\x{7F}",    "\\x{85}",    "\\x{9B}",   "\\x{A0}",
        "\\x{AD}",    "\\x{61C}",   "\\x{200B}",  "\\x{200E}",  "\\x{200F}", "\\x{2028}",
        "\\x{2029}",  "\\x{202A}",  "\\x{202E}",  "\\x{2060}",  "\\x{2066}", "\\x{2069}",
        "\\x{3000}",  "\\x{D800}",  "\\x{E000}",  "\\x{FE0F}",  "\\x{FEFF}", "\\x{FFFE}",
        "\\x{1FFFF}", "\\x{E0041}", "\\x{F0000}", "\\x{10FFFF}"}) {
    EXPECT_EQ(show(escape), escape);
  }
  EXPECT_EQ(show("a\u202eb\x1b[31m"), "a\\x{202E}b\\x{1B}[31m");
  EXPECT_EQ(show("\u009b31m"), "\\x{9B}31m");
}

TEST(ShownAddressTest, WhatIsNoUtf8IsShownByOctets) {
  EXPECT_EQ(show("\xff\xc2"), "\\xff\\xc2");
  EXPECT_EQ(show("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(show("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");  // a line end in disguise
}

TEST(ShownAddressTest, WhatIsNoEscapeStays) {
  for (const char* text :
       {"\\x", "\\x{", "\\x{}", "\\x{3B4", "\\x{xyz}", "\\x{1234567}", "\\x{110000}", "\\y{3B4}"}) {
    EXPECT_EQ(show(text), text);
  }
}

TEST(ShownAddressTest, IsCutAtItsLimit) {
  EXPECT_EQ(show_utf8_address(std::string(400, 'x'), true, 320), std::string(320, 'x') + "[cut]");
  EXPECT_EQ(show_utf8_address("\\x{3B4}\\x{3B4}\\x{3B4}", true, 3), "\u03b4\u03b4[cut]");
}

}  // namespace
}  // namespace mtrk
