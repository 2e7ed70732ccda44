#include "common/maillog/record_end.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

using namespace std::string_literals;

TEST(RecordEndTest, WhatTransportsLeaveIsNoPartOfTheRecord) {
  for (const std::string& behind : {"\r"s,
                                    "\r\r"s,
                                    " "s,
                                    "   "s,
                                    "\t"s,
                                    "\0"s,
                                    "\0\0\r"s,
                                    "\x1b[0m"s,
                                    "\x1b[m"s,
                                    "\x1b[K"s,
                                    "\x1b[0;39m\x1b[K\r"s,
                                    "#015"s,
                                    "#015#012"s,
                                    "#033[0m"s.substr(0, 4) + "\r",
                                    "^M"s,
                                    "^M^J"s,
                                    "^@"s,
                                    "\x7f"s,
                                    "\v"s,
                                    " \r \t#015 "s}) {
    EXPECT_EQ(record_of("removed" + behind), "removed") << testing::PrintToString(behind);
    EXPECT_EQ(record_of("status=sent (ok)" + behind), "status=sent (ok)");
  }
}

TEST(RecordEndTest, WhatIsPartOfTheRecordStays) {
  for (const std::string_view line :
       {"", "a", "removed", "(ok #015)", "item #100", "item #400", "#15", "2^N", "x^", "[0m", "0m",
        "\xC3\xA4", "name=\"x\"", "(x)'", "status=sent ("}) {
    EXPECT_EQ(record_of(line), line);
  }
}

TEST(RecordEndTest, ALineOfNothingElseIsEmpty) {
  EXPECT_EQ(record_of("\r"), "");
  EXPECT_EQ(record_of(std::string(100000, ' ')), "");
}

TEST(RecordEndTest, WhatStandsBeforeTheRecordIsCutAsWell) {
  EXPECT_EQ(cut_before_record("\xEF\xBB\xBFNov"), "Nov");
  EXPECT_EQ(cut_before_record("\0\0\0Nov"s), "Nov");
  EXPECT_EQ(cut_before_record("\x1b[1;36m\x1b[0m Nov"), "Nov");
  EXPECT_EQ(cut_before_record("\x1b[1;36"), "\x1b[1;36");
  EXPECT_EQ(cut_before_record("Nov"), "Nov");
}

}  // namespace
}  // namespace mtrk::maillog
