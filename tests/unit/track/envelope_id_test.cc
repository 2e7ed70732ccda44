#include "common/track/envelope_id.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(EnvelopeIdTest, SplitsAtTheLastAt) {  // MTRK-3.2-03, ABNF-06
  EXPECT_EQ(EnvelopeId::parse_xtext("a@b")->fqhn(), "b");
  EXPECT_EQ(EnvelopeId::parse_xtext("a@b@c")->fqhn(), "c");
  EXPECT_EQ(EnvelopeId::parse_xtext("<1@h>")->fqhn(), "h>");
}

TEST(EnvelopeIdTest, ComparesDecodedOctets) {  // A-33, DSNX-4-02, DSNF-2.2.1-01
  EXPECT_EQ(*EnvelopeId::parse_xtext("+61@h"), *EnvelopeId::parse_xtext("a@h"));
  EXPECT_NE(*EnvelopeId::parse_xtext("A@h"), *EnvelopeId::parse_xtext("a@h"));
  EXPECT_EQ(EnvelopeId::parse_xtext("a+2Bb@h")->decoded(), "a+b@h");
  EXPECT_EQ(EnvelopeId::from_decoded("a+b@h")->xtext(), "a+2Bb@h");
}

TEST(EnvelopeIdTest, RefusesUnsuitableIds) {
  for (const std::string_view xtext :
       {"", "ab", "@h", "a@", "@", "a b@h", "a=b@h", "a+zz@h", "a+2b@h", "a+0A@h", "a+0D+0A@h",
        "a+00@h", "a+7F@h", "a+E2+80+A8@h", "a+09@h", "+20a@h", "a@h+20", "a@h+"}) {
    EXPECT_FALSE(EnvelopeId::parse_xtext(xtext)) << xtext;  // DSNX-4.4-01, DSNX-4.4-03
  }
}

TEST(EnvelopeIdTest, InnerBlanksAreAllowed) {
  EXPECT_EQ(EnvelopeId::parse_xtext("a+20b@h")->decoded(), "a b@h");
}

TEST(EnvelopeIdTest, RejectsMoreThan100Octets) {  // DSNX-4.4-02
  const std::string longest = std::string(98, 'a') + "@h";
  EXPECT_TRUE(EnvelopeId::parse_xtext(longest));
  EXPECT_TRUE(EnvelopeId::from_decoded(longest));
  EXPECT_EQ(EnvelopeId::parse_xtext("a" + longest).error().code, ErrorCode::too_long);
  EXPECT_EQ(EnvelopeId::from_decoded("a" + longest).error().code, ErrorCode::too_long);
  // The limit counts octets on the wire: 40 blanks are 120.
  const std::string blanks = "a" + std::string(40, ' ') + "@h";
  EXPECT_EQ(EnvelopeId::from_decoded(blanks).error().code, ErrorCode::too_long);
}

TEST(EnvelopeIdTest, BracketsComeOffOnlyAsAPair) {  // A-11
  EXPECT_EQ(EnvelopeId::parse_xtext("<1@h>")->without_brackets()->decoded(), "1@h");
  for (const std::string_view xtext : {"1@h", "<1@h", "1@h>", "<@h>", "<1@>"}) {
    EXPECT_FALSE(EnvelopeId::parse_xtext(xtext).and_then([](const EnvelopeId& id)
                                                             -> Expected<EnvelopeId> {
      const std::optional<EnvelopeId> bare = id.without_brackets();
      return bare ? Expected<EnvelopeId>(*bare) : fail(ErrorCode::syntax, "");
    })) << xtext;
  }
}

TEST(EnvelopeIdTest, AllSpellingsOfAnIdHaveOneDomain) {
  for (const std::string_view xtext :
       {"m@d.example", "<m@d.example>", "+3Cm@d.example+3E", "<m@d.example+3E", "<<m@d.example>>",
        "+3C<m@d.example>+3E", "a@b@d.example", "<a@b@d.example>", "m@d.example.", "<m@d.example.>",
        "m@d.example>", "<m@d.example+20>", "m@d.example+2E", "<m@d.example>.",
        "+6D@d.e+78ample"}) {
    const auto id = EnvelopeId::parse_xtext(xtext);
    ASSERT_TRUE(id) << xtext;
    EXPECT_EQ(id->domain(), "d.example") << xtext;
    if (const auto bare = id->without_brackets()) {
      EXPECT_EQ(bare->domain(), "d.example") << xtext;
    }
  }
  EXPECT_EQ(EnvelopeId::parse_xtext("<m@D.example>")->domain(), "D.example");
  EXPECT_EQ(EnvelopeId::parse_xtext("<m@>>")->domain(), "");
}

TEST(EnvelopeIdTest, HashedHostNameIsCarried) {  // MTRK-3.2-07, A-5, vector V7
  const std::string_view xtext = "local@oEXH6X5FLKgINtmw+2BEpTPyDYEGw";
  EXPECT_EQ(EnvelopeId::parse_xtext(xtext)->fqhn(), "oEXH6X5FLKgINtmw+EpTPyDYEGw");
  EXPECT_EQ(EnvelopeId::parse_xtext(xtext)->xtext(), xtext);
}

}  // namespace
}  // namespace mtrk
