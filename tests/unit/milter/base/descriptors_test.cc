#include "milter/base/descriptors.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <chrono>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

class DescriptorsTest : public testing::Test {
 protected:
  DescriptorsTest() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~DescriptorsTest() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

  rlimit before_{};
};

TEST_F(DescriptorsTest, SomeAreKeptForOtherThings) {
  const Descriptors descriptors;
  std::vector<UniqueFd> held;
  while (descriptors.left()) {
    held.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(held.back());
  }
  EXPECT_GT(held.size(), 30U);
  for (int i = 0; i < 8; ++i) {  // there are still some
    held.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(held.back()) << i;
  }
  EXPECT_FALSE(descriptors.left());
  held.clear();
  EXPECT_TRUE(descriptors.left());
}

TEST_F(DescriptorsTest, NoneAtAllIsNoneLeft) {
  const Descriptors descriptors;
  std::vector<UniqueFd> held;
  do {
    held.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  } while (held.back());
  EXPECT_FALSE(descriptors.left());
}

TEST_F(DescriptorsTest, ComplainsOnceAMinute) {
  Descriptors descriptors;
  const std::chrono::steady_clock::time_point start(1000s);
  EXPECT_TRUE(descriptors.may_complain(start));
  EXPECT_FALSE(descriptors.may_complain(start + 59s));
  EXPECT_TRUE(descriptors.may_complain(start + 60s));
  EXPECT_FALSE(descriptors.may_complain(start + 61s));
}

TEST_F(DescriptorsTest, TheLimitIsRaisedToTheHardOne) {
  raise_descriptor_limit();
  EXPECT_EQ(Descriptors().limit(), before_.rlim_max);
}

}  // namespace
}  // namespace mtrk
