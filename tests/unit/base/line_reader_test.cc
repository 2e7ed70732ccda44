#include "common/base/line_reader.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace mtrk {
namespace {

// What the lines of `input` are, "!" for one that is too long. It comes in pieces of that size.
std::vector<std::string> lines_of(const std::string& input,
                                  std::size_t longest,
                                  std::size_t piece) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const UniqueFd out(ends[0]);
  std::thread writer([&input, piece, in = UniqueFd(ends[1])] {
    for (std::size_t at = 0; at < input.size(); at += piece) {
      const std::string part = input.substr(at, piece);
      EXPECT_EQ(::write(in.get(), part.data(), part.size()), static_cast<ssize_t>(part.size()));
    }
  });
  std::vector<std::string> lines;
  LineReader reader(out.get(), longest);
  while (const auto line = reader.next()) {
    lines.emplace_back(line->too_long ? "!" : line->text);
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.gave_up());
  writer.join();
  return lines;
}

TEST(LineReaderTest, LinesAreTheSameHoweverTheyCome) {
  using Lines = std::vector<std::string>;
  const struct {
    std::string input;
    Lines want;
  } rows[] = {
      {"", {}},
      {"\n", {""}},
      {"a", {"a"}},
      {"a\n", {"a"}},
      {"a\n\nb", {"a", "", "b"}},
      {"12345\n123456\n1", {"12345", "!", "1"}},
      {"123456", {"!"}},
      {"123456789012345678901234567890\n\n1\n", {"!", "", "1"}},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
      {"a\r\nb", {"a\r", "b"}},
  };
  for (const auto& row : rows) {
    for (std::size_t piece = 1; piece <= 40; ++piece) {
      EXPECT_EQ(lines_of(row.input, 5, piece), row.want) << row.input << " by " << piece;
    }
  }
}

TEST(LineReaderTest, BlocksDoNotMatter) {
  std::string input;
  std::vector<std::string> want;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string line(i % 300, static_cast<char>('a' + i % 26));
    input += line + "\n";
    want.push_back(line.size() > 250 ? "!" : line);
  }
  EXPECT_EQ(lines_of(input, 250, 4096), want);
  EXPECT_EQ(lines_of(input, 250, 60'000), want);
}

TEST(LineReaderTest, GivesUpOnALineWithoutEnd) {
  const UniqueFd endless = open_input("/dev/zero");
  ASSERT_TRUE(endless);
  LineReader reader(endless.get(), 1000);
  const auto line = reader.next();
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->too_long);
  EXPECT_TRUE(reader.gave_up());
  EXPECT_FALSE(reader.next());
}

TEST(LineReaderTest, AFailureToReadIsNoEnd) {
  const UniqueFd folder = open_input("/");
  LineReader reader(folder.get(), 1000);
  EXPECT_THROW(static_cast<void>(reader.next()), std::system_error);
  EXPECT_FALSE(open_input("/nowhere/at/all"));
}

}  // namespace
}  // namespace mtrk
