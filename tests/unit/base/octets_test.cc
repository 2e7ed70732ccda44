#include "common/base/octets.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::octets {
namespace {

bool high_bit(std::uint64_t mask, std::size_t octet) {
  return (mask >> (8 * octet + 7) & 1) != 0;
}

// Each octet by itself, whatever its neighbours are: no carry from one to the next.
TEST(OctetsTest, MasksTellOfEachOctet) {
  for (const unsigned neighbour : {0x00U, 0x2FU, 0x3AU, 0x7FU, 0x80U, 0xFFU}) {
    for (unsigned value = 0; value < 256; ++value) {
      for (std::size_t place = 0; place < kWord; ++place) {
        std::string text(kWord, static_cast<char>(neighbour));
        text[place] = static_cast<char>(value);
        const std::uint64_t word = load(text.data());
        const std::uint64_t digits = between(word, '0', '9');
        const std::uint64_t colons = equal_to(word, ':');
        for (std::size_t i = 0; i < kWord; ++i) {
          ASSERT_EQ(high_bit(digits, i), text[i] >= '0' && text[i] <= '9') << value << " " << i;
          ASSERT_EQ(high_bit(colons, i), text[i] == ':') << value << " " << i;
        }
        ASSERT_EQ((digits | colons) & ~kHigh, 0U);
      }
    }
  }
}

TEST(OctetsTest, CountsWhatIsBeforeTheFirst) {
  EXPECT_EQ(before_first(equal_to(load("abc:e:gh"), ':')), 3U);
  EXPECT_EQ(before_first(0), kWord);
  EXPECT_EQ(after_last(equal_to(load("abc:e:gh"), ':')), 2U);
  EXPECT_EQ(after_last(0), kWord);
  EXPECT_EQ(first(0), 0U);
  EXPECT_EQ(first(3), 0xFFFFFFU);
  EXPECT_EQ(first(kWord), ~std::uint64_t{0});
}

TEST(OctetsTest, FindsAnOctetAnywhere) {
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string none(length, 'x');
    EXPECT_EQ(find_near(none, ' '), length);
    for (std::size_t place = 0; place < length; ++place) {
      std::string text = none;
      text[place] = ' ';
      text.back() = ' ';
      EXPECT_EQ(find_near(text, ' '), place);
    }
  }
}

}  // namespace
}  // namespace mtrk::octets
