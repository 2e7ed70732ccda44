#include "common/track/xtext.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(XtextTest, EncodesPlusEqualsAndBlank) {  // DSNX-4-01, vector V6
  EXPECT_EQ(encode_xtext("a+b=c d"), "a+2Bb+3Dc+20d");
  EXPECT_EQ(decode_xtext("a+2Bb+3Dc+20d").value(), "a+b=c d");
}

TEST(XtextTest, EveryOctetSurvivesTheRoundTrip) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
  }
  const std::string xtext = encode_xtext(all);
  EXPECT_EQ(decode_xtext(xtext).value(), all);
  for (const char c : xtext) {
    EXPECT_TRUE(c > ' ' && c < '\x7f' && c != '=') << static_cast<int>(c);
  }
}

TEST(XtextTest, OrdinaryCharactersMayBeHexCoded) {  // DSNX-4-02
  EXPECT_EQ(decode_xtext("+61@h").value(), "a@h");
}

TEST(XtextTest, ParenthesesAreData) {  // DSNX-4-04
  EXPECT_EQ(decode_xtext("a(b)c@h").value(), "a(b)c@h");
}

TEST(XtextTest, RefusesWhatTheGrammarForbids) {  // DSNX-4-03, ABNF-07
  for (const std::string_view xtext : {"+2b", "+", "a+", "+2", "a+2", "+zz", "+G0", "+0G", "+ 1",
                                       "a=b", "a b", "a\tb", "a\x7f", "a\x80", "a\r", "a\n"}) {
    EXPECT_FALSE(decode_xtext(xtext)) << xtext;
  }
  EXPECT_FALSE(decode_xtext(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace mtrk
