#include "common/track/fresh_envid.h"

#include <gtest/gtest.h>

#include <set>

namespace mtrk {
namespace {

constexpr EnvidSeed kSeed{TimePoint(Seconds(1'795'200'000)), 4711, 0x0123456789abcdef};

TEST(FreshEnvidTest, IsShortWithAHostName) {  // DSNX-5.4-02, MTRK-3.2-05
  const Expected<EnvelopeId> id = make_envelope_id("mail.example.com", kSeed);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->fqhn(), "mail.example.com");
  EXPECT_EQ(id->xtext().size(), 37U);
}

TEST(FreshEnvidTest, DiffersWithEveryPartOfTheSeed) {  // MTRK-3.2-04
  std::set<std::string> ids;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ids.insert(make_envelope_id("h", {kSeed.now + Seconds(i), 1, 1})->decoded());
    ids.insert(make_envelope_id("h", {kSeed.now, static_cast<std::uint32_t>(2 + i), 1})->decoded());
    ids.insert(make_envelope_id("h", {kSeed.now, 1, 2 + i})->decoded());
  }
  EXPECT_EQ(ids.size(), 3000U);
}

TEST(FreshEnvidTest, HashesAHostThatIsTooLong) {  // MTRK-3.2-06
  const std::string host = std::string(80, 'a') + ".example";
  const Expected<EnvelopeId> id = make_envelope_id(host, kSeed);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->fqhn(), hashed_fqhn(host));
  EXPECT_LE(id->xtext().size(), 100U);
  EXPECT_EQ(make_envelope_id("mail.example.com", kSeed, 50)->fqhn(), "mail.example.com");
  EXPECT_EQ(make_envelope_id(std::string(40, 'a'), kSeed, 60)->fqhn(),
            hashed_fqhn(std::string(40, 'a')));
}

TEST(FreshEnvidTest, HashIsVectorV7) {  // MTRK-3.2-07, A-5
  EXPECT_EQ(hashed_fqhn("host0.example.com"), "oEXH6X5FLKgINtmw+EpTPyDYEGw");
  const Expected<EnvelopeId> id = EnvelopeId::from_decoded("a@" + hashed_fqhn("host0.example.com"));
  EXPECT_EQ(id->xtext(), "a@oEXH6X5FLKgINtmw+2BEpTPyDYEGw");
}

TEST(FreshEnvidTest, RefusesHostsThatNoEnvidCanHold) {
  EXPECT_FALSE(make_envelope_id("", kSeed));
  EXPECT_FALSE(make_envelope_id("a\nb", kSeed));
  EXPECT_FALSE(make_envelope_id("h", kSeed, 20));
}

}  // namespace
}  // namespace mtrk
