#include "milter/ctl/find/needle.h"

#include "common/base/ascii.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mtrk::find {
namespace {

TEST(NeedleTest, IsFoundAtEachPlaceOfTextsOfEachLength) {
  for (std::size_t size = 0; size < 200; size += 7) {
    for (std::size_t at = 0; at <= size; ++at) {
      std::string text(size, '.');
      text.insert(at, "Bob@Example.org");
      const Needle needle("bob@example.ORG", text);
      EXPECT_EQ(needle.find(text, 0), at);
      EXPECT_EQ(needle.find(text, at), at);
      EXPECT_EQ(needle.find(text, at + 1), std::string::npos);
    }
  }
}

TEST(NeedleTest, NeedsAllOfItself) {
  const Needle needle("abc", "");
  EXPECT_EQ(needle.find("ab", 0), std::string::npos);
  EXPECT_EQ(needle.find("", 0), std::string::npos);
  EXPECT_EQ(needle.find("xxabc", 3), std::string::npos);
  EXPECT_EQ(needle.find("ABC", 0), 0U);
  EXPECT_EQ(needle.find("abc", 9), std::string::npos);
}

TEST(NeedleTest, OneOctetAndEqualOctetsAreNeedlesToo) {
  EXPECT_EQ(Needle("@", "").find("abc@", 0), 3U);
  EXPECT_EQ(Needle("aaa", "aaaa").find("aabaabaaa", 0), 6U);
}

TEST(NeedleTest, OnlyLettersHaveACase) {
  EXPECT_EQ(Needle("[a]", "").find("{a}", 0), std::string::npos);
  EXPECT_EQ(Needle("@a", "").find("`a", 0), std::string::npos);
  EXPECT_EQ(Needle("\xc3\xa4", "").find("\xe3\xa4", 0), std::string::npos);
}

TEST(NeedleTest, FindsWhatALoopFinds) {
  std::mt19937 random(7);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 3000; ++round) {
    const std::string alphabet = "aAbB@.";
    std::string text(below(300), ' ');
    std::string word(1 + below(4), ' ');
    for (std::string* one : {&text, &word}) {
      std::generate(one->begin(), one->end(), [&] { return alphabet[below(alphabet.size())]; });
    }
    const Needle needle(word, text);
    const std::size_t from = below(text.size() + 2);
    EXPECT_EQ(needle.find(text, from), to_lower(text).find(to_lower(word), from));
  }
}

}  // namespace
}  // namespace mtrk::find
