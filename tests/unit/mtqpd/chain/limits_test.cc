#include "mtqpd/chain/limits.h"

#include <gtest/gtest.h>

#include <vector>

namespace mtrk::mtqpd {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kSource = 42;

Digest32 message(std::uint8_t first, std::uint8_t second = 0) {
  Digest32 digest{};
  digest[0] = first;
  digest[1] = second;
  return digest;
}

ChainLimits::Parts parts(std::size_t recipients) {
  TrackedMessage part;
  const TypedAddress address{"rfc822", "u@x.test"};
  part.recipients.assign(recipients, {address, address, Opaque{}, false});
  return std::make_shared<const std::vector<TrackedMessage>>(1, part);
}

TEST(ChainLimitsTest, AMessageIsAskedForOnceAtATime) {  // THR-X4
  ChainLimits limits;
  {
    const ChainLimits::Turn first = limits.begin(message(1), kSource);
    EXPECT_TRUE(first);
    EXPECT_FALSE(limits.begin(message(1), kSource + 1));
    EXPECT_FALSE(limits.begin(message(1), std::nullopt));
  }
  EXPECT_TRUE(limits.begin(message(1), kSource));
}

TEST(ChainLimitsTest, TwoQueriesForOneAddress) {  // THR-X5
  ChainLimits limits;
  const ChainLimits::Turn first = limits.begin(message(1), kSource);
  const ChainLimits::Turn second = limits.begin(message(2), kSource);
  EXPECT_TRUE(second);
  EXPECT_FALSE(limits.begin(message(3), kSource));
  EXPECT_FALSE(limits.begin(message(3), kSource));  // a refusal takes no place
  EXPECT_TRUE(limits.begin(message(3), kSource + 1));
  EXPECT_TRUE(limits.begin(message(3), std::nullopt));  // trusted
}

TEST(ChainLimitsTest, SixtyFourQueriesInAll) {  // THR-X5
  ChainLimits limits;
  std::vector<ChainLimits::Turn> turns;
  for (std::uint8_t i = 0; i < 64; ++i) {
    turns.push_back(limits.begin(message(i), i));
    EXPECT_TRUE(turns.back());
  }
  EXPECT_FALSE(limits.begin(message(64), std::nullopt));
  turns.pop_back();
  EXPECT_TRUE(limits.begin(message(64), std::nullopt));
}

TEST(ChainLimitsTest, AnswersAreKeptHalfAMinute) {
  ChainLimits limits;
  const net::Clock::time_point now{seconds(1000)};
  EXPECT_EQ(limits.find(message(1), "", now), nullptr);
  const ChainLimits::Parts kept = parts(1);
  limits.keep(message(1), "TLSv1.2", kept, now);
  EXPECT_EQ(limits.find(message(1), "TLSv1.2", now + seconds(29)), kept);
  EXPECT_EQ(limits.find(message(1), "TLSv1.3", now), nullptr);  // was fetched with less
  EXPECT_EQ(limits.find(message(2), "TLSv1.2", now), nullptr);
  EXPECT_EQ(limits.find(message(1), "TLSv1.2", now + seconds(30)), nullptr);
}

TEST(ChainLimitsTest, WhatIsKeptIsBounded) {
  ChainLimits limits;
  const net::Clock::time_point now{seconds(1000)};
  limits.keep(message(0), "", parts(ChainLimits::kMostRecipients + 1), now);
  EXPECT_EQ(limits.find(message(0), "", now), nullptr);
  for (std::size_t i = 0; i <= ChainLimits::kMostAnswers; ++i) {
    limits.keep(message(1, static_cast<std::uint8_t>(i)), i == 256 ? "x" : "", parts(1), now);
  }
  EXPECT_EQ(limits.find(message(1, 0), "", now), nullptr);  // the oldest went
  EXPECT_NE(limits.find(message(1, 1), "", now), nullptr);
  limits.keep(message(2), "", parts(ChainLimits::kMostRecipients), now);
  EXPECT_NE(limits.find(message(2), "", now), nullptr);
  EXPECT_EQ(limits.find(message(1, 255), "", now), nullptr);
}

}  // namespace
}  // namespace mtrk::mtqpd
