#include "common/base/small_file.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

namespace mtrk {
namespace {

constexpr std::size_t kLimit = 100;

TEST(SmallFileTest, IsReplacedAsAWhole) {
  const test::ScratchDirectory folder;
  const std::string path = folder.path("stats");
  EXPECT_EQ(replace_small_file(path, "long text\n", 0640), 0);
  EXPECT_EQ(replace_small_file(path, "short\n", 0640), 0);
  EXPECT_EQ(read_small_file(path, kLimit), "short\n");
  EXPECT_EQ(read_small_file(path, 3), "sho");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_EQ(replace_small_file(folder.path("no/stats"), "a", 0640), ENOENT);
  EXPECT_FALSE(read_small_file(folder.path("none"), kLimit));
}

TEST(SmallFileTest, WritesThroughNoLink) {
  const test::ScratchDirectory folder;
  const std::string path = folder.path("stats");
  for (const char* const link : {"stats", "stats.new"}) {
    for (const char* const target : {"victim", "dangling"}) {
      folder.write("victim", "precious");
      std::filesystem::create_symlink(folder.path(target), folder.path(link));
      EXPECT_EQ(replace_small_file(path, "text", 0640), 0);
      EXPECT_EQ(read_small_file(folder.path("victim"), kLimit), "precious");
      EXPECT_FALSE(std::filesystem::exists(folder.path("dangling")));
      EXPECT_FALSE(std::filesystem::is_symlink(path));
      EXPECT_EQ(read_small_file(path, kLimit), "text");
      std::filesystem::remove(path);
    }
  }
  // A hard link is another name of the file: it is taken away, the file stays.
  std::filesystem::create_hard_link(folder.path("victim"), path + ".new");
  EXPECT_EQ(replace_small_file(path, "text", 0640), 0);
  EXPECT_EQ(read_small_file(folder.path("victim"), kLimit), "precious");
}

TEST(SmallFileTest, WhatIsInTheWayIsAnError) {
  const test::ScratchDirectory folder;
  std::filesystem::create_directory(folder.path("stats.new"));
  EXPECT_NE(replace_small_file(folder.path("stats"), "text", 0640), 0);
  EXPECT_FALSE(std::filesystem::exists(folder.path("stats")));
}

TEST(SmallFileTest, ReadsNothingButARegularFile) {
  const test::ScratchDirectory folder;
  folder.write("file", "text");
  std::filesystem::create_symlink(folder.path("file"), folder.path("link"));
  ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(read_small_file(folder.path("link"), kLimit));
  EXPECT_FALSE(read_small_file(folder.path("fifo"), kLimit));  // nor does it wait for one
  EXPECT_FALSE(read_small_file(folder.path(), kLimit));
  EXPECT_FALSE(read_small_file("/dev/zero", kLimit));
}

}  // namespace
}  // namespace mtrk
