#include "milter/ctl/story.h"

#include "common/maillog/postfix_log.h"
#include "milter/ctl/log_reader.h"
#include "milter/ctl/timeline.h"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace mtrk {
namespace {

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

TEST(LogReaderTest, SkipsAndCountsOverlongLines) {  // THR-B5, THR-Z2
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
    teller_.ask(*QueueId::parse(queue_id), std::move(recipients));
  }
  void read(const std::string& line, const std::string& header = "Nov 21 10:00:00 mx postfix/") {
    const std::string text = header + line;
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
  [[nodiscard]] std::size_t messages(const std::string& queue_id) {
    return teller_.find(queue_id)->size();
  }
  [[nodiscard]] std::vector<Account> accounts(const std::string& queue_id,
                                              const std::string& recipient) {
    std::vector<Account> result;
    for (const Finding& finding : find_recipient(*teller_.find(queue_id), recipient)) {
      result.push_back(account_of(finding, teller_, policy_));
    }
    return result;
  }
  [[nodiscard]] std::string action(const Account& account) {
    return account.fate ? std::string(to_string(account.fate->action)) : "none";
  }
  [[nodiscard]] std::string action(const std::string& queue_id, const std::string& recipient) {
    const std::vector<Account> its = accounts(queue_id, recipient);
    return its.size() == 1 ? action(its[0]) : std::to_string(its.size()) + " answers";
  }

  const maillog::TracePolicy policy_{};
  const maillog::StampContext stamps_{
      TimePoint(std::chrono::sys_days(std::chrono::year{2026} / 11 / 22)), Minutes(0)};
  StoryTeller teller_{policy_};
};

TEST_F(StoryTest, KeepsTheLinesOfEachRecipient) {
  ask("PARENT01", {"boss@x", "other@y"});
  read_forwarded_message();
  EXPECT_EQ(action("PARENT01", "boss@x"), "relayed");
  EXPECT_EQ(action("PARENT01", "other@y"), "delayed");
  EXPECT_EQ(accounts("PARENT01", "boss@x")[0].lines.size(), 6u);
  EXPECT_EQ(accounts("PARENT01", "other@y")[0].lines.size(), 3u)
      << "client, queue, its own attempt";
}

// Somebody may ask for a message and for the copy that was made of it, in any order.
TEST_F(StoryTest, AnswersForParentAndChildAtOnce) {
  ask("CHILD001", {});
  ask("PARENT01", {"boss@x"});
  read_forwarded_message();
  EXPECT_EQ(action("PARENT01", "boss@x"), "relayed");
  const std::vector<Finding> child = find_all(*teller_.find("CHILD001")->front());
  ASSERT_EQ(child.size(), 1u);
  EXPECT_EQ(child[0].name, "boss@x");
  EXPECT_EQ(action(account_of(child[0], teller_, policy_)), "relayed");
  EXPECT_EQ(accounts("PARENT01", "boss@x")[0].lines.size(), 6u);
}

TEST_F(StoryTest, KnowsWhatTheLogDoesNotName) {
  ask("ABSENT01", {"a@x"});
  read_forwarded_message();
  ASSERT_NE(teller_.find("ABSENT01"), nullptr);
  EXPECT_EQ(messages("ABSENT01"), 0u);
  EXPECT_NE(why_unknown("ABSENT01", *teller_.find("ABSENT01")).find("not in the log"),
            std::string::npos);
  EXPECT_EQ(teller_.find("PARENT01"), nullptr) << "not asked for";
}

TEST_F(StoryTest, TellsATimelineWithoutControlCharacters) {
  ask("PARENT01", {"boss@x"});
  read_forwarded_message();
  Page page({});
  add_story(page, *teller_.find("PARENT01")->front(), accounts("PARENT01", "boss@x"), std::nullopt);
  const std::string& text = page.text();
  EXPECT_NE(text.find("relayed 2.1.9, next hop mx"), std::string::npos);
  EXPECT_NE(text.find("followed as CHILD001"), std::string::npos);
  EXPECT_NE(text.find("because another host took it"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(StoryTest, TellsTheSameIdOfTwoHostsApart) {
  ask("A1B2C3D4E5", {"bob@x", "carl@x", "dora@x"});
  for (const std::string host : {"mxa", "mxb"}) {
    const std::string header = "Nov 21 10:00:00 " + host + " postfix/";
    read("smtpd[1]: A1B2C3D4E5: client=x[192.0.2.1]", header);
    read("qmgr[1]: A1B2C3D4E5: from=<s@a>, size=1, nrcpt=1 (queue active)", header);
  }
  read(
      "smtp[1]: A1B2C3D4E5: to=<bob@x>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, "
      "status=bounced (no)",
      "Nov 21 10:00:01 mxa postfix/");
  read(
      "smtp[1]: A1B2C3D4E5: to=<carl@x>, relay=mx[192.0.2.2]:25, delay=1, delays=1/0/0/0, "
      "dsn=2.0.0, status=sent (250 ok)",
      "Nov 21 10:00:01 mxb postfix/");
  EXPECT_EQ(messages("A1B2C3D4E5"), 2u);
  EXPECT_EQ(action("A1B2C3D4E5", "bob@x"), "failed");
  EXPECT_EQ(action("A1B2C3D4E5", "carl@x"), "relayed");
  EXPECT_EQ(accounts("A1B2C3D4E5", "carl@x")[0].finding.message->host, "mxb");
  EXPECT_EQ(action("A1B2C3D4E5", "dora@x"), "2 answers");
  EXPECT_EQ(action(accounts("A1B2C3D4E5", "dora@x")[0]), "none");
}

TEST_F(StoryTest, KnowsAnIdThatWasGivenOutAgain) {
  ask("A1B2C3D4E5", {"bob@x", "carl@x"});
  read("smtpd[1]: A1B2C3D4E5: client=x[192.0.2.1]");
  read("qmgr[1]: A1B2C3D4E5: from=<s@a>, size=1, nrcpt=1 (queue active)");
  read(
      "smtp[1]: A1B2C3D4E5: to=<bob@x>, relay=none, delay=1, delays=1/0/0/0, dsn=5.1.1, "
      "status=bounced (no)");
  read("qmgr[1]: A1B2C3D4E5: removed");
  const std::string later = "Nov 21 10:00:40 mx postfix/";
  read("smtpd[1]: A1B2C3D4E5: client=y[192.0.2.9]", later);
  read("qmgr[1]: A1B2C3D4E5: from=<t@a>, size=1, nrcpt=1 (queue active)", later);
  read(
      "smtp[1]: A1B2C3D4E5: to=<carl@x>, relay=mx[192.0.2.2]:25, delay=1, delays=1/0/0/0, "
      "dsn=2.0.0, status=sent (250 ok)",
      later);
  read("qmgr[1]: A1B2C3D4E5: removed", later);
  EXPECT_EQ(messages("A1B2C3D4E5"), 2u);
  EXPECT_EQ(action("A1B2C3D4E5", "bob@x"), "failed");
  EXPECT_EQ(action("A1B2C3D4E5", "carl@x"), "relayed");
  EXPECT_EQ(accounts("A1B2C3D4E5", "bob@x")[0].lines.size(), 4u);
  EXPECT_EQ(accounts("A1B2C3D4E5", "carl@x")[0].lines.size(), 4u);
}

// The same log given twice, or two that overlap.
TEST_F(StoryTest, ALineThatIsReadAgainBeginsNothing) {
  ask("PARENT01", {"boss@x"});
  read_forwarded_message();
  read("qmgr[1]: PARENT01: removed", "Nov 21 10:00:09 mx postfix/");
  read_forwarded_message();
  EXPECT_EQ(messages("PARENT01"), 1u);
  EXPECT_EQ(action("PARENT01", "boss@x"), "relayed");
}

TEST(AddressInTest, TakesWhatPeopleWrite) {
  for (const std::string_view text : {"bob@x", " bob@x\t", "<bob@x>", "Bob <bob@x>",
                                      "\"Bob, Dr.\" <bob@x>", "<@hop:bob@x>", "\"Bob\"<bob@x>"}) {
    EXPECT_EQ(address_in(text), "bob@x") << text;
  }
  EXPECT_EQ(address_in("\"a<b>\"@x"), "\"a<b>\"@x");
  EXPECT_EQ(address_in(""), "");
  EXPECT_EQ(address_in("<"), address_in("<"));
}

}  // namespace
}  // namespace mtrk
