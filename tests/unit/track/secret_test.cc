#include "common/track/secret.h"

#include "common/track/base64.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

namespace mtrk {
namespace {

TEST(SecretTest, TakesOneTo128Octets) {  // ABNF-12, A-22: no minimum is enforced
  for (const std::size_t size : {1U, 2U, 3U, 16U, 127U, 128U}) {
    const std::string octets(size, '\xa5');
    for (const Padding padding : {Padding::with, Padding::without}) {
      EXPECT_EQ(TrackingSecret::parse_base64(encode_base64(octets, padding))->octets(), octets);
    }
  }
}

TEST(SecretTest, RefusesNothingTooMuchAndForeignCharacters) {  // MTRK-3.1-03
  EXPECT_FALSE(TrackingSecret::parse_base64(""));
  EXPECT_FALSE(TrackingSecret::parse_base64("="));
  EXPECT_FALSE(TrackingSecret::parse_base64("===="));
  EXPECT_FALSE(TrackingSecret::parse_base64("!!"));
  EXPECT_FALSE(TrackingSecret::parse_base64("YWJj-_"));
  for (const std::size_t size : {129U, 130U, 1000U}) {
    const std::string octets(size, 'x');
    EXPECT_EQ(TrackingSecret::parse_base64(encode_base64(octets, Padding::with)).error().code,
              ErrorCode::too_long);
    EXPECT_EQ(TrackingSecret::parse_base64(encode_base64(octets, Padding::without)).error().code,
              ErrorCode::too_long);
  }
}

TEST(SecretTest, ErrorsDoNotQuoteTheSecret) {
  const Expected<TrackingSecret> secret = TrackingSecret::parse_base64("hunter2!");
  EXPECT_EQ(secret.error().detail.find("hunter2"), std::string::npos);
}

TEST(SecretTest, GeneratesLongSecretsThatDiffer) {  // MTRK-3.1-02, MTRK-3.1-04
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const TrackingSecret secret = TrackingSecret::generate();
    EXPECT_EQ(secret.octets().size(), TrackingSecret::kGeneratedOctets);
    EXPECT_TRUE(seen.insert(secret.to_base64()).second);
  }
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  static_assert(!std::is_copy_constructible_v<TrackingSecret>);
  for (const std::string_view text :
       {"YWJjZGVmZ2g=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}) {
    TrackingSecret first = *TrackingSecret::parse_base64(text);
    TrackingSecret second(std::move(first));
    EXPECT_EQ(second.to_base64(), text);
    EXPECT_TRUE(first.octets().empty());  // NOLINT(bugprone-use-after-move)
    TrackingSecret third = TrackingSecret::generate();
    third = std::move(second);
    EXPECT_EQ(third.to_base64(), text);
    EXPECT_TRUE(second.octets().empty());  // NOLINT(bugprone-use-after-move)
  }
}

}  // namespace
}  // namespace mtrk
