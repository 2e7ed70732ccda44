#include "milter/ctl/find/token_scan.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mtrk::find {
namespace {

std::set<std::size_t> places(const TokenScan& tokens, std::string_view text) {
  std::set<std::size_t> found;
  tokens.scan(text, [&](std::size_t place) { found.insert(place); });
  return found;
}

TokenScan scan_for(std::initializer_list<const char*> ids) {
  TokenScan tokens;
  for (const char* id : ids) {
    tokens.add(id);
  }
  tokens.prepare();
  return tokens;
}

TEST(TokenScanTest, FindsAnIdAtEachPlace) {
  const TokenScan tokens = scan_for({"4dCXzt0Cvjz5Z", "A1B2C3"});
  for (const std::string id : {"4dCXzt0Cvjz5Z", "A1B2C3"}) {
    for (const std::string end : {": removed\n", ")\n", ")\r\n"}) {
      for (std::size_t at = 0; at < 150; ++at) {
        const std::string text = std::string(at, 'x') + " " + id + end + std::string(50, 'y');
        EXPECT_EQ(places(tokens, text).count(at + 1 + id.size()), 1U) << at << end;
      }
    }
  }
}

TEST(TokenScanTest, TheEndOfTheTextEndsALine) {
  const TokenScan tokens = scan_for({"4dCXzt0Cvjz5Z"});
  EXPECT_EQ(places(tokens, "(queued as 4dCXzt0Cvjz5Z)").count(24), 1U);
}

TEST(TokenScanTest, PassesOverOthers) {
  const TokenScan tokens = scan_for({"4dCXzt0Cvjz5Z"});
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text +=
        "Nov 21 16:49:22 mx postfix/qmgr[1]: 4dCXzt0Cv" + std::to_string(1000 + i) + ": removed\n";
  }
  EXPECT_LT(places(tokens, text).size(), 20U);
}

TEST(TokenScanTest, WithoutIdsThereIsNothingToFind) {
  TokenScan tokens;
  tokens.prepare();
  EXPECT_TRUE(places(tokens, std::string(100, 'x') + " 4dCXzt0Cvjz5Z: removed\n").empty());
}

}  // namespace
}  // namespace mtrk::find
