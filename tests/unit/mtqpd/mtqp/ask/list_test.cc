#include "mtqpd/mtqp/ask/list.h"

#include "common/base/ascii.h"
#include "tests/support/test_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace mtrk::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

SentRecord record(const std::string& id, std::vector<std::string> to = {"u@x.test"}) {
  return {TimePoint(Seconds(1'800'000'000)),
          id,
          "mtqp://h/track/" + id + "/AAAA",
          "h:25",
          "mtrk",
          "s@x.test",
          std::move(to)};
}

std::string shown(const std::vector<SentRecord>& records, std::size_t count = 0) {
  return format_sent(records, count, [](TimePoint) { return "THEN"; });
}

TEST(SentFileTest, ReadsBackWhatWasWritten) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("mtqp/sent.ndjson");
  EXPECT_TRUE(read_sent_records(path).empty());
  append_sent_record(path, record("1@x", {"u@x.test", "v@x.test"}));
  std::ofstream(path, std::ios::app) << "half a line\n{\"v\":1}\n";
  append_sent_record(path, record("2@x"));
  const std::vector<SentRecord> records = read_sent_records(path);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].envelope_id, "1@x");
  EXPECT_EQ(records[0].uri, "mtqp://h/track/1@x/AAAA");
  EXPECT_EQ(records[0].to, (std::vector<std::string>{"u@x.test", "v@x.test"}));
  EXPECT_EQ(records[1].time, TimePoint(Seconds(1'800'000'000)));
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  EXPECT_THROW(static_cast<void>(read_sent_records(path)), std::system_error);
}

TEST(FindSentTest, TakesTheBeginningOfAName) {
  const std::vector<SentRecord> records{record("alpha-1@x"), record("beta-2@x"),
                                        record("alpha-3@x")};
  const auto found = [&](const std::string& name) {
    const Expected<const SentRecord*> one = find_sent(records, name);
    return one ? (*one)->envelope_id : "";
  };
  EXPECT_EQ(found("last"), "alpha-3@x");
  EXPECT_EQ(found(short_name(records[1])), "beta-2@x");
  EXPECT_EQ(found(short_name(records[1]).substr(0, 4)), "beta-2@x");
  EXPECT_EQ(found("beta"), "beta-2@x");
  EXPECT_EQ(found("alpha-1"), "alpha-1@x");
  EXPECT_EQ(found("alpha"), "");  // several
  EXPECT_EQ(found("bet"), "");    // too short
  EXPECT_EQ(found("gamma"), "");
  EXPECT_EQ(found(""), "");
  EXPECT_FALSE(find_sent({}, "last"));
}

TEST(ListTest, LatestFirstByTheShortestName) {
  const std::vector<SentRecord> records{record("1@x"), record("2@x", {"a@x", "b@x", "c@x", "d@x"})};
  const std::string text = shown(records);
  EXPECT_EQ(text, short_name(records[1]).substr(0, 4) + "      THEN  a@x, b@x, c@x and 1 more\n" +
                      short_name(records[0]).substr(0, 4) + "      THEN  u@x.test\n");
  EXPECT_THAT(shown(records, 1), Not(HasSubstr("u@x.test")));
}

TEST(ListTest, EveryNameShownIsEnough) {
  std::vector<SentRecord> records;
  for (int i = 0; i < 700; ++i) {  // beginnings of four digits meet
    records.push_back(record(std::to_string(i) + "@x"));
  }
  const std::string text = shown(records);
  std::size_t at = 0;
  for (std::size_t i = records.size(); i-- > 0; at = text.find('\n', at) + 1) {
    const std::string name = text.substr(at, text.find(' ', at) - at);
    const Expected<const SentRecord*> found = find_sent(records, name);
    ASSERT_TRUE(found) << name;
    ASSERT_EQ((*found)->envelope_id, records[i].envelope_id);
  }
}

TEST(ListTest, ShowsNoSecretsAndNoControlCharacters) {
  const std::vector<SentRecord> records{record("1@x", {"u\x1b[2J@x.test"})};
  EXPECT_THAT(shown(records), HasSubstr("u\\x1b[2J@x.test"));
  EXPECT_THAT(shown(records) + format_sent_json(records, 0), Not(HasSubstr("mtqp:")));
  const std::vector<SentRecord> odd{record("2@x", {"u\u009b\u202e\x7f@x.test"})};
  EXPECT_THAT(format_sent_json(odd, 0), HasSubstr("u\\u009b\\u202e\\u007f@x.test"));
}

}  // namespace
}  // namespace mtrk::cli
