#include "milter/base/counters.h"

#include "tests/support/scratch_directory.h"

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

TEST(CountersTest, RunsAddUp) {
  const test::ScratchDirectory folder;
  const std::string path = ingest_counters_path(folder.path());
  EXPECT_TRUE(read_counters_file(path).empty());
  EXPECT_TRUE(add_to_counters_file(path, {{"lines", 10}, {"unparsed", 1}}));
  EXPECT_TRUE(add_to_counters_file(path, {{"lines", 5}, {"unparsed", 0}}));
  EXPECT_EQ(read_counters_file(path), (CounterRows{{"lines", 15}, {"unparsed", 1}}));
  EXPECT_FALSE(add_to_counters_file(folder.path() + "/none/x", {{"lines", 1}}));
}

}  // namespace
}  // namespace mtrk
