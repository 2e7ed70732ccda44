#include "common/maillog/record_end.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

using namespace std::string_view_literals;

TEST(RecordEndTest, KnowsWhatProgramsLeaveBehindARecord) {
  for (const std::string_view tail : {""sv,
                                      "\r"sv,
                                      "\r\n"sv,
                                      " "sv,
                                      "\t "sv,
                                      "\0\0"sv,
                                      "\""sv,
                                      "\","sv,
                                      "'"sv,
                                      "$"sv,
                                      "^M$"sv,
                                      "#015"sv,
                                      "#015#012"sv,
                                      "\\r"sv,
                                      "\\r\\n"sv,
                                      "\\015"sv,
                                      "\\x0d"sv,
                                      "\\u000d"sv,
                                      "\x1b[0m"sv,
                                      "\x1b[0;1m"sv,
                                      "\x1b[m\x1b[K"sv,
                                      "#033[0m"sv,
                                      "\\033[0m"sv,
                                      "\\e[0m"sv,
                                      "^[[0m"sv,
                                      "\\u001b[0m\\r"sv,
                                      "&quot;"sv,
                                      "&#13;"sv,
                                      "%0D"sv,
                                      "<br>"sv,
                                      "<br/>"sv,
                                      "</td>"sv,
                                      "</p>"sv,
                                      "<0D>"sv,
                                      "\"}"sv,
                                      "]}"sv,
                                      " |"sv,
                                      ";"sv,
                                      "\x07\x7f"sv,
                                      "\xEF\xBB\xBF"sv}) {
    EXPECT_TRUE(is_litter(tail)) << tail;
    EXPECT_TRUE(is_just("removed" + std::string(tail), "removed")) << tail;
    EXPECT_EQ(up_to_last("a (b)" + std::string(tail), ')'), "a (b)") << tail;
  }
}

TEST(RecordEndTest, WordsAreNoLitter) {
  const std::string long_tail(100, '"');
  for (const std::string_view tail :
       {" by force"sv, "x"sv, "1"sv, " (canceled)"sv, ", status=sent (x"sv, " 5.1.1"sv, "\"x"sv,
        "\\removed"sv, "_x"sv, "=1"sv, "-1"sv, std::string_view(long_tail)}) {
    EXPECT_FALSE(is_litter(tail)) << tail;
    EXPECT_FALSE(is_just("removed" + std::string(tail), "removed")) << tail;
  }
  EXPECT_FALSE(is_just("remove", "removed"));
  EXPECT_EQ(up_to_last("a (b) c", ')'), std::nullopt);
  EXPECT_EQ(up_to_last("a (b", ')'), std::nullopt);
  EXPECT_EQ(up_to_last("", ')'), std::nullopt);
  EXPECT_EQ(up_to_last(")" + long_tail, ')'), std::nullopt) << "too far from the end";
}

}  // namespace
}  // namespace mtrk::maillog
