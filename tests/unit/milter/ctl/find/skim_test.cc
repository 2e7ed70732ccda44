#include "milter/ctl/find/skim.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mtrk::find {
namespace {

std::vector<std::string> links_of(std::string_view text) {
  std::vector<std::string> links;
  for_each_link(text, [&](std::string_view id, bool certain) {
    links.push_back(std::string(id) + (certain ? "" : "?"));
  });
  return links;
}

using Links = std::vector<std::string>;

TEST(SkimTest, UsualHeadersGiveTheRecord) {
  EXPECT_EQ(skim_header("Nov 21 16:49:22 mx postfix/smtp[1]: 4dCXzt0Cvjz5Z: removed"),
            "4dCXzt0Cvjz5Z: removed");
  EXPECT_EQ(
      skim_header("2026-11-21T16:54:11.985366+00:00 mx postfix/smtp[17]: ABCDEF: client=x[1]"),
      "ABCDEF: client=x[1]");
}

TEST(SkimTest, OtherHeadersAreLeftToTheParser) {
  EXPECT_EQ(skim_header("<22>Nov 21 16:49:22 mx postfix/smtp[1]: 4dCXzt0Cvjz5Z: removed"), "");
  EXPECT_EQ(skim_header("Nov 21 16:49:22 mx postfix/smtp: 4dCXzt0Cvjz5Z: removed"), "");
  EXPECT_EQ(skim_header("Nov 21 16:49:22 mx docker[1]: Nov 21 16:49:22 mx postfix/smtp[1]: A: x"),
            "");
  EXPECT_EQ(skim_header("Nov 21 16:49:22 mx x[1]: [2] 4dCXzt0Cvjz5Z: removed"), "");
  EXPECT_EQ(skim_header(""), "");
  EXPECT_EQ(skim_header("Nov 21 16:49:22 mx postfix/smtp[1]:"), "");
}

// Whatever the line, what is skimmed is what the parser reads.
TEST(SkimTest, AgreesWithTheParserOnAllLogs) {
  std::size_t lines = 0;
  std::size_t skimmed = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(MTRK_TEST_DATA "/logs")) {
    if (entry.path().extension() != ".log") {
      continue;
    }
    std::ifstream log(entry.path(), std::ios::binary);
    for (std::string line; std::getline(log, line);) {
      ++lines;
      const std::string_view record = skim_header(line);
      if (record.empty()) {
        continue;
      }
      ++skimmed;
      const auto parts = maillog::split_log_line(line, {TimePoint(Seconds(1'795'000'000)), {}});
      ASSERT_TRUE(parts) << line;
      EXPECT_EQ(queue_id_of(record), queue_id_of(parts->text)) << line;
      EXPECT_EQ(record.substr(0, parts->text.size()), parts->text) << line;
    }
  }
  EXPECT_GT(lines, 5000U);
  EXPECT_GT(skimmed, lines / 2);
}

TEST(SkimTest, QueueIdsOfBothSystems) {
  EXPECT_EQ(queue_id_of("4dCXzt0Cvjz5Z: removed"), "4dCXzt0Cvjz5Z");
  EXPECT_EQ(queue_id_of("5006AA8C96A: client=x"), "5006AA8C96A");
  EXPECT_EQ(queue_id_of("6ALGoKlr018553[2]: more"), "6ALGoKlr018553");
  EXPECT_EQ(queue_id_of("ABCDEF: x"), "ABCDEF");
  EXPECT_EQ(queue_id_of("warning: x"), "");
  EXPECT_EQ(queue_id_of("NOQUEUE: reject"), "");
  EXPECT_EQ(queue_id_of("4dCXzt0Cvjz5Z"), "");
}

TEST(SkimTest, LinksToOtherQueueIds) {
  EXPECT_EQ(links_of("to=<a@b>, status=sent (forwarded as 4dCXzt0Cvjz5Z)"), Links{"4dCXzt0Cvjz5Z"});
  EXPECT_EQ(links_of("to=<a@b>, status=sent (250 2.0.0 Ok: queued as 4dCXzt0Cvjz5Z)"),
            Links{"4dCXzt0Cvjz5Z?"});
  EXPECT_EQ(links_of("client=x[127.0.0.1], orig_queue_id=4dCXzt0Cvjz5Z, orig_client=y[1]"),
            Links{"4dCXzt0Cvjz5Z"});
  EXPECT_EQ(links_of("uid=0 from=<a@b> orig_id=4dCXzt0Cvjz5Z"), Links{"4dCXzt0Cvjz5Z"});
  EXPECT_EQ(links_of("6ALGoKlr018553: clone: owner=x"), Links{"6ALGoKlr018553"});
  EXPECT_EQ(links_of("split: maxrcpts=3, rcpts=7, count=2, ids=6ALH16DY002768; 6ALH16DZ002768"),
            (Links{"6ALH16DY002768", "6ALH16DZ002768"}));
  EXPECT_EQ(links_of("split: count=1, id=6ALH16DY002768"), Links{"6ALH16DY002768"});
  EXPECT_EQ(links_of("6ALGoKlr018553: DSN: User unknown"), Links{});
  EXPECT_EQ(links_of("removed"), Links{});
  EXPECT_EQ(links_of(")"), Links{});
  EXPECT_EQ(links_of(""), Links{});
}

TEST(SkimTest, ARelayOfThisHostMayBeAFilter) {
  EXPECT_TRUE(is_handed_to_this_host("to=<a>, relay=127.0.0.1[127.0.0.1]:10025, delay=1"));
  EXPECT_TRUE(is_handed_to_this_host("to=<a>, relay=filter, delay=1"));
  EXPECT_TRUE(is_handed_to_this_host("to=<a>, relay=mx[/run/lmtp], delay=1"));
  EXPECT_FALSE(is_handed_to_this_host("to=<a>, relay=mx.example.org[192.0.2.1]:25, delay=1"));
}

TEST(SkimTest, HashesDependOnEachOctet) {
  const std::string text = "4dCXzt0Cvjz5Zabcdef";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text.substr(0, size);
      other[i] ^= 1;
      EXPECT_NE(hash_of(text.substr(0, size), 3), hash_of(other, 3));
    }
    EXPECT_NE(hash_of(text.substr(0, size), 3), hash_of(text.substr(0, size), 4));
  }
}

}  // namespace
}  // namespace mtrk::find
