#include "common/net/srv_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace mtrk::net {
namespace {

std::vector<std::string> targets(const std::vector<SrvRecord>& records) {
  std::vector<std::string> names;
  for (const SrvRecord& record : records) {
    names.push_back(record.target);
  }
  return names;
}

// Draws these numbers, and checks what they are drawn from.
RandomNumber script(std::deque<std::pair<std::uint32_t, std::uint32_t>> draws) {
  return [draws = std::move(draws)](std::uint32_t most) mutable {
    EXPECT_FALSE(draws.empty());
    EXPECT_EQ(most, draws.front().first);
    const std::uint32_t number = draws.front().second;
    draws.pop_front();
    return number;
  };
}

using Names = std::vector<std::string>;

TEST(SrvOrderTest, LowestPriorityComesFirst) {  // SRV-02
  std::vector<SrvRecord> records{{20, 0, 1, "c"}, {10, 5, 1, "b"}, {0, 0, 1, "a"}};
  order_srv(records, [](std::uint32_t) { return 0U; });
  EXPECT_EQ(targets(records), (Names{"a", "b", "c"}));
}

TEST(SrvOrderTest, DrawsByRunningSums) {  // SRV-03, the algorithm of RFC 2782
  const std::vector<SrvRecord> given{{0, 3, 1, "three"}, {0, 1, 1, "one"}, {0, 0, 1, "zero"}};
  const struct {
    std::deque<std::pair<std::uint32_t, std::uint32_t>> draws;
    Names want;
  } cases[] = {
      {{{4, 0}, {4, 0}}, {"zero", "three", "one"}}, {{{4, 1}, {1, 0}}, {"three", "zero", "one"}},
      {{{4, 3}, {1, 1}}, {"three", "one", "zero"}}, {{{4, 4}, {3, 3}}, {"one", "three", "zero"}},
      {{{4, 4}, {3, 0}}, {"one", "zero", "three"}},
  };
  for (const auto& c : cases) {
    std::vector<SrvRecord> records = given;
    order_srv(records, script(c.draws));
    EXPECT_EQ(targets(records), c.want);
  }
}

TEST(SrvOrderTest, WeightsDecideHowOften) {  // SRV-03: 3 to 1 within tolerance, 0 rarely first
  std::mt19937 generator(1);
  const RandomNumber random = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(generator);
  };
  std::map<std::string, int> first;
  for (int i = 0; i < 10000; ++i) {
    std::vector<SrvRecord> records{{0, 100, 1, "b"}, {0, 300, 1, "a"}, {0, 0, 1, "c"}};
    order_srv(records, random);
    ++first[records.front().target];
  }
  EXPECT_NEAR(first["a"], 7500, 250);
  EXPECT_NEAR(first["b"], 2500, 250);
  EXPECT_LT(first["c"], 100);
}

TEST(SrvOrderTest, KeepsEveryRecord) {  // SRV-04
  std::mt19937 generator(2);
  for (int i = 0; i < 1000; ++i) {
    std::vector<SrvRecord> records;
    for (std::uint16_t r = 0; r < i % 20; ++r) {
      records.push_back({static_cast<std::uint16_t>(generator() % 3),
                         static_cast<std::uint16_t>(generator() % 2 == 0 ? 0 : generator()), r,
                         ""});
    }
    std::vector<SrvRecord> ordered = records;
    order_srv(ordered, [&](std::uint32_t most) {
      return static_cast<std::uint32_t>(generator() % (std::uint64_t{most} + 1));
    });
    ASSERT_TRUE(std::is_permutation(
        records.begin(), records.end(), ordered.begin(), ordered.end(),
        [](const SrvRecord& a, const SrvRecord& b) { return a.port == b.port; }));
    ASSERT_TRUE(std::is_sorted(
        ordered.begin(), ordered.end(),
        [](const SrvRecord& a, const SrvRecord& b) { return a.priority < b.priority; }));
  }
}

TEST(SrvOrderTest, LargestWeightsDoNotOverflow) {
  std::vector<SrvRecord> records(64, {0, 65535, 1, "x"});
  order_srv(records, [](std::uint32_t most) { return most; });
  EXPECT_EQ(records.size(), 64U);
}

}  // namespace
}  // namespace mtrk::net
