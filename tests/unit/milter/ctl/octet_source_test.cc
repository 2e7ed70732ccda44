#include "milter/ctl/octet_source.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace mtrk {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(MTRK_TEST_DATA "/compressed/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A descriptor before these octets.
UniqueFd holding(std::string_view octets) {
  std::string name = testing::TempDir() + "/octets-XXXXXX";
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  ::unlink(name.c_str());
  EXPECT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

struct Read {
  std::string octets, complaint;
};

Read read_all(std::string_view octets, std::size_t room, bool ahead) {
  const UniqueFd fd = holding(octets);
  const std::unique_ptr<OctetSource> source =
      ahead ? open_octets_ahead(fd.get(), "log") : open_octets(fd.get(), "log");
  Read read;
  std::string part(room, '\0');
  while (const std::size_t n = source->read(part.data(), part.size())) {
    read.octets.append(part, 0, n);
  }
  read.complaint = source->complaint();
  return read;
}

class OctetSourceTest : public testing::TestWithParam<const char*> {
 protected:
  const std::string log_ = file("log");
  const std::string packed_ = file(std::string("log.") + GetParam());
};

TEST_P(OctetSourceTest, GivesBackTheLog) {
  for (const std::size_t room : {1U, 7U, 4096U, 1U << 20}) {
    for (const bool ahead : {false, true}) {
      const Read read = read_all(packed_, room, ahead);
      EXPECT_EQ(read.octets, log_);
      EXPECT_EQ(read.complaint, "");
    }
  }
}

TEST_P(OctetSourceTest, GivesBackEachOfSeveralInOneFile) {
  const Read read = read_all(file(std::string("twice.") + GetParam()), 4096, true);
  EXPECT_EQ(read.octets, log_ + log_);
  EXPECT_EQ(read.complaint, "");
}

TEST_P(OctetSourceTest, SaysThatDataAreCutOff) {
  for (std::size_t size = 6; size + 1 < packed_.size(); size += 5) {
    const Read read = read_all(std::string_view(packed_).substr(0, size), 4096, false);
    EXPECT_EQ(read.octets, log_.substr(0, read.octets.size()));
    EXPECT_NE(read.complaint, "") << size;
  }
}

TEST_P(OctetSourceTest, EndsWhateverTheDataAre) {
  for (std::size_t i = 6; i < packed_.size(); ++i) {
    std::string broken = packed_;
    broken[i] = static_cast<char>(broken[i] ^ 0x55);
    static_cast<void>(read_all(broken, 4096, false));
  }
}

TEST_P(OctetSourceTest, IsKeptInAFile) {
  const UniqueFd fd = holding(packed_);
  const std::unique_ptr<OctetSource> source = open_octets(fd.get(), "log");
  std::string complaint;
  const UniqueFd spooled = spool(*source, complaint);
  std::string octets(log_.size() + 1, '\0');
  octets.resize(static_cast<std::size_t>(::pread(spooled.get(), octets.data(), octets.size(), 0)));
  EXPECT_EQ(octets, log_);
  EXPECT_EQ(complaint, "");
}

INSTANTIATE_TEST_SUITE_P(All, OctetSourceTest, testing::Values("gz", "xz", "zst", "bz2"));

TEST(PlainOctetSourceTest, WhatIsNotCompressedIsGivenAsItIs) {
  for (const std::string& text : {std::string(), std::string("x"), file("log"),
                                  std::string("BZhello\n"), std::string("\x1F\x8B no\n")}) {
    const Read read = read_all(text, 5, true);
    EXPECT_EQ(read.octets, text);
    EXPECT_EQ(read.complaint, "");
  }
}

TEST(PlainOctetSourceTest, PaddingBehindGzipIsPassedOver) {
  const Read read = read_all(file("log.gz") + std::string(100, '\0'), 4096, false);
  EXPECT_EQ(read.octets, file("log"));
  EXPECT_EQ(read.complaint, "");
}

}  // namespace
}  // namespace mtrk
