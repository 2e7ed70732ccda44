#include "milter/ctl_story.h"

#include "common/maillog/postfix_log.h"
#include "milter/ctl_log_reader.h"
#include "milter/ctl_timeline.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace mtrk {
namespace {

using maillog::Recipients;

// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/mtrk-story-XXXXXX";
};

std::vector<std::string> read_all(const std::string& path, std::uint64_t* skipped = nullptr) {
  LogReader reader(path);
  LogBlock block;
  std::vector<std::string> lines;
  while (reader.next(block)) {
    std::string_view rest = block.lines();
    while (!rest.empty()) {
      lines.emplace_back(take_line(rest));
    }
  }
  if (skipped != nullptr) {
    *skipped = reader.skipped();
  }
  return lines;
}

TEST(LogReaderTest, GivesEveryLineOnce) {
  std::string content;
  std::vector<std::string> want;
  for (int i = 0; i < 30000; ++i) {
    want.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), '.'));
    content += want.back() + "\n";
  }
  want.emplace_back("the last line lacks its end");
  const TemporaryFile file(content + want.back());
  EXPECT_EQ(read_all(file.path()), want);
}

TEST(LogReaderTest, SkipsAndCountsOverlongLines) {  // reliability B5, Z2
  const TemporaryFile file("first\n" + std::string(1000000, 'x') + "\nsecond\n" +
                           std::string(70000, 'y') + "\nthird\n");
  std::uint64_t skipped = 0;
  const std::vector<std::string> lines = read_all(file.path(), &skipped);
  EXPECT_GE(skipped, 1u);
  EXPECT_EQ(lines.front(), "first");
  EXPECT_EQ(lines.back(), "third");
  EXPECT_NE(std::find(lines.begin(), lines.end(), "second"), lines.end());
}

TEST(LogReaderTest, AnEmptyFileHasNoLines) {
  const TemporaryFile file("");
  EXPECT_TRUE(read_all(file.path()).empty());
}

TEST(LogReaderTest, SaysWhichFileCannotBeOpened) {
  try {
    LogReader reader("/nonexistent/mail.log");
    FAIL();
  } catch (const CannotOpen& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/mail.log"), std::string::npos);
  }
}

class StoryTest : public testing::Test {
 protected:
  void ask(const std::string& queue_id, std::vector<std::string> recipients) {
    const Recipients mode = recipients.empty() ? Recipients::collect : Recipients::captured;
    teller_.ask(*QueueId::parse(queue_id), std::move(recipients), mode);
  }
  void read(const std::string& line) {
    const std::string text = "Nov 21 10:00:00 mx postfix/" + line;
    const auto parts = maillog::split_log_line(text, stamps_);
    const maillog::ParsedLine parsed = maillog::parse_postfix(*parts);
    teller_.read(std::get<maillog::DeliveryEvent>(parsed), text);
  }
  void read_forwarded_message() {
    read("smtpd[1]: PARENT01: client=x[192.0.2.1]");
    read("qmgr[1]: PARENT01: from=<s@a>, size=1, nrcpt=2 (queue active)");
    read("cleanup[1]: CHILD001: message-id=<1@a>");
    read("qmgr[1]: CHILD001: from=<s@a>, size=1, nrcpt=1 (queue active)");
    read(
        "local[1]: PARENT01: to=<boss@x>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, "
        "status=sent (forwarded as CHILD001)");
    read(
        "smtp[1]: CHILD001: to=<h@y>, orig_to=<boss@x>, relay=mx[192.0.2.1]:25, delay=1, "
        "delays=1/0/0/0, dsn=2.0.0, status=sent (250 \x1b[2Jok)");
    read(
        "smtp[1]: PARENT01: to=<other@y>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, "
        "status=deferred (refused)");
  }
  [[nodiscard]] std::string action(const std::string& queue_id, std::size_t recipient) {
    return std::string(
        to_string(action_of(teller_.find(queue_id)->trace.outcome(recipient, policy_))));
  }

  const maillog::TracePolicy policy_{};
  const maillog::StampContext stamps_{
      TimePoint(std::chrono::sys_days(std::chrono::year{2026} / 11 / 22)), Minutes(0)};
  StoryTeller teller_{policy_};
};

TEST_F(StoryTest, KeepsTheLinesOfEachRecipient) {
  ask("PARENT01", {"boss@x", "other@y"});
  read_forwarded_message();
  const Story* story = teller_.find("PARENT01");
  EXPECT_EQ(action("PARENT01", 0), "relayed");
  EXPECT_EQ(action("PARENT01", 1), "delayed");
  EXPECT_EQ(story->lines_of(0).size(), 6u);
  EXPECT_EQ(story->lines_of(1).size(), 3u) << "client, queue, its own attempt";
}

// Somebody may ask for a message and for the copy that was made of it, in any order.
TEST_F(StoryTest, AnswersForParentAndChildAtOnce) {
  ask("CHILD001", {});
  ask("PARENT01", {"boss@x"});
  read_forwarded_message();
  EXPECT_EQ(action("PARENT01", 0), "relayed");
  ASSERT_EQ(teller_.find("CHILD001")->trace.recipients().size(), 1u);
  EXPECT_EQ(action("CHILD001", 0), "relayed");
  EXPECT_EQ(teller_.find("PARENT01")->lines_of(0).size(), 6u);
}

TEST_F(StoryTest, KnowsWhatTheLogDoesNotName) {
  ask("ABSENT01", {"a@x"});
  read_forwarded_message();
  const Story* story = teller_.find("ABSENT01");
  ASSERT_NE(story, nullptr);
  EXPECT_FALSE(story->trace.seen());
  EXPECT_NE(why_unknown(*story).find("not in the log"), std::string::npos);
  EXPECT_EQ(teller_.find("PARENT01"), nullptr) << "not asked for";
}

TEST_F(StoryTest, TellsATimelineWithoutControlCharacters) {
  ask("PARENT01", {"boss@x"});
  read_forwarded_message();
  const std::string text = timeline(*teller_.find("PARENT01"), 0, "boss@x", policy_);
  EXPECT_NE(text.find("relayed 2.1.9, next hop mx"), std::string::npos);
  EXPECT_NE(text.find("followed as CHILD001"), std::string::npos);
  EXPECT_NE(text.find("because another host took it"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace mtrk
