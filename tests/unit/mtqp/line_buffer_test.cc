#include "common/mtqp/line_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::mtqp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void take_all(LineBuffer& lines, std::vector<std::string>& out) {
  while (const auto line = lines.next()) {
    switch (line->kind) {
      case LineBuffer::Kind::line:
        out.push_back("line " + std::string(line->text));
        break;
      case LineBuffer::Kind::malformed:
        out.push_back("malformed");
        break;
      case LineBuffer::Kind::too_long:
        out.push_back("too long");
        break;
    }
  }
}

// What comes out for `input`, which must not depend on how it is cut (THR-W4).
std::vector<std::string> split(const std::string& input) {
  LineBuffer whole;
  whole.feed(input);
  std::vector<std::string> expected;
  take_all(whole, expected);
  LineBuffer octets;
  std::vector<std::string> one_by_one;
  for (const char c : input) {
    octets.feed({&c, 1});
    take_all(octets, one_by_one);
  }
  EXPECT_EQ(one_by_one, expected);
  EXPECT_EQ(octets.flooded(), whole.flooded());
  for (std::size_t cut = 0; cut <= input.size() && input.size() < 5000; ++cut) {
    LineBuffer two;
    std::vector<std::string> result;
    two.feed(std::string_view(input).substr(0, cut));
    take_all(two, result);
    two.feed(std::string_view(input).substr(cut));
    take_all(two, result);
    EXPECT_EQ(result, expected) << "cut at " << cut;
  }
  return expected;
}

TEST(LineBufferTest, LinesEndInCrlf) {  // MTQP-2.2-02
  EXPECT_THAT(split("a\r\nbc\r\n\r\nd"), ElementsAre("line a", "line bc", "line "));
  EXPECT_THAT(split(""), IsEmpty());
  EXPECT_THAT(split("\r"), IsEmpty());
}

TEST(LineBufferTest, BareLfBareCrAndNulAreMalformed) {  // THR-W2, THR-W3, A-19
  EXPECT_THAT(split("a\nb\r\n"), ElementsAre("malformed", "line b"));
  EXPECT_THAT(split("a\rb\r\nc\r\n"), ElementsAre("malformed", "line c"));
  EXPECT_THAT(split(std::string("a\0b\r\n", 5)), ElementsAre("malformed"));
  EXPECT_THAT(split("\r\r\n\n"), ElementsAre("malformed", "malformed"));
}

TEST(LineBufferTest, Accepts998OctetsAndNotOneMore) {  // MTQP-2.2-05, THR-W1
  const std::string longest(kMaxLine, 'a');
  EXPECT_THAT(split(longest + "\r\nb\r\n"), ElementsAre("line " + longest, "line b"));
  EXPECT_THAT(split(longest + "a\r\nb\r\n"), ElementsAre("too long", "line b"));
  EXPECT_THAT(split(longest + "\r\r\nb\r\n"), ElementsAre("too long", "line b"));
  EXPECT_THAT(split(longest + "\nb\r\n"), ElementsAre("malformed", "line b"));
}

TEST(LineBufferTest, OverlongLineGoesOnToCrlf) {
  const std::string much(1500, 'a');
  EXPECT_THAT(split(much + "\nQUIT\r\nb\r\n"), ElementsAre("too long", "line b"));
  EXPECT_THAT(split(much + "\r\rx\n\r\nb\r\n"), ElementsAre("too long", "line b"));
  EXPECT_THAT(split(much + "\r"), IsEmpty());
}

TEST(LineBufferTest, FloodWithoutLineEndStopsEverything) {  // THR-W1, THR-D2
  EXPECT_THAT(split(std::string(kMaxWithoutLf - 2, 'a') + "\r\nb\r\n"),
              ElementsAre("too long", "line b"));
  EXPECT_THAT(split(std::string(kMaxWithoutLf - 1, 'a') + "\r\nb\r\n"), IsEmpty());
  LineBuffer lines;
  lines.feed(std::string(kMaxWithoutLf + 1, 'a'));
  EXPECT_FALSE(lines.next());
  EXPECT_TRUE(lines.flooded());
  EXPECT_EQ(lines.pending(), 0U);
}

TEST(LineBufferTest, KnowsWhatIsPending) {
  LineBuffer lines;
  EXPECT_FALSE(lines.line_started());
  lines.feed("a\r\nbc");
  EXPECT_EQ(lines.pending(), 5U);
  EXPECT_TRUE(lines.next());
  EXPECT_TRUE(lines.line_started());
  EXPECT_EQ(lines.pending(), 2U);
  lines.feed(std::string(2000, 'x'));
  EXPECT_FALSE(lines.next());
  EXPECT_EQ(lines.pending(), 0U);
  EXPECT_TRUE(lines.line_started());  // an over-long line that is being skipped
  lines.feed("\r\n");
  EXPECT_EQ(lines.next()->kind, LineBuffer::Kind::too_long);
  EXPECT_FALSE(lines.line_started());
}

TEST(LineBufferTest, ReleasesOnlyAnEmptyBuffer) {
  LineBuffer lines;
  lines.feed(std::string(2, 'a') + "\r\nb");
  EXPECT_TRUE(lines.next());
  lines.release_if_empty();
  lines.feed("\r\n");
  const auto line = lines.next();
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "b");
  lines.release_if_empty();
  lines.feed("c\r\n");
  EXPECT_EQ(lines.next()->text, "c");
}

}  // namespace
}  // namespace mtrk::mtqp
