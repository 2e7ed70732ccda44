#include "milter/counters.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mtrk {
namespace {

TEST(CountersTest, WhatIsWrittenIsReadBackInOrder) {
  Counters counters;
  count(counters.tracked, 7);
  count(counters.unparsed);
  const auto rows = parse_counters(format_counters(counters));
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->front(), (std::pair<std::string, std::uint64_t>("untracked", 0)));
  EXPECT_NE(
      std::find(rows->begin(), rows->end(), std::pair<std::string, std::uint64_t>("tracked", 7)),
      rows->end());
  EXPECT_NE(
      std::find(rows->begin(), rows->end(), std::pair<std::string, std::uint64_t>("unparsed", 1)),
      rows->end());
}

TEST(CountersTest, AHalfWrittenTextIsNotTakenForNumbers) {
  const std::string whole = format_counters(Counters{});
  EXPECT_FALSE(parse_counters(whole.substr(0, whole.size() - 1)));
  EXPECT_FALSE(parse_counters("tracked\n"));
  EXPECT_FALSE(parse_counters("tracked x\n"));
  EXPECT_TRUE(parse_counters("")->empty());
}

}  // namespace
}  // namespace mtrk
