#include "milter/ctl/events.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace mtrk {
namespace {

// What the command writes on stdout; its exit code must be `want`.
std::string events_of(const std::string& log, int want = 0) {
  const test::ScratchDirectory scratch;
  const std::string path = scratch.path() + "/out";
  std::fflush(stdout);
  const int saved = ::dup(STDOUT_FILENO);
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::close(out);
  EXPECT_EQ(run_events({{log}, {}}), want);
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Two threads read it in blocks.
TEST(EventsTest, KeepTheOrderOfALongLog) {
  constexpr int kLines = 50000;  // some 5 MB
  const test::ScratchDirectory scratch;
  const std::string log = scratch.path() + "/mail.log";
  std::string want;
  {
    std::ofstream out(log);
    for (int i = 0; i < kLines; ++i) {
      const std::string id = std::to_string(1000000 + i);
      out << "Jan  5 10:00:00 mx postfix/qmgr[1]: " << id << ": removed\n"
          << "Jan  5 10:00:00 mx postfix/smtpd[1]: connect from unknown[192.0.2.1]\n";
      want += id + "\n";
    }
  }
  std::istringstream events(events_of(log));
  std::string got;
  for (std::string line; std::getline(events, line);) {
    const std::size_t at = line.find("\"queue_id\":\"");
    ASSERT_NE(at, std::string::npos) << line;
    got += line.substr(at + 12, 7) + "\n";
  }
  EXPECT_EQ(got, want);
}

TEST(EventsTest, EscapesOnlyTheLinesThatNeedIt) {
  const test::ScratchDirectory scratch;
  const std::string log = scratch.path() + "/mail.log";
  std::ofstream(log) << "Jan  5 10:00:00 mx postfix/cleanup[1]: 4A5B6C: message-id=<a\"b@x>\n"
                     << "Jan  5 10:00:00 mx postfix/cleanup[1]: 4A5B6D: message-id=<ab@x>\n";
  const std::string events = events_of(log);
  EXPECT_NE(events.find("\"message_id\":\"<a\\\"b@x>\"}\n"), std::string::npos) << events;
  EXPECT_NE(events.find("\"message_id\":\"<ab@x>\"}\n"), std::string::npos) << events;
}

struct FormatCase {
  const char* name;
  std::string log;
  int exit_code;
  const char* said;  // on standard error
};

TEST(EventsTest, SayWhatTheyCannotRead) {
  const std::string record =
      "4dCXzt0Cvjz5Z: to=<bob@example.org>, relay=x, dsn=2.0.0, status=sent (ok)";
  const std::string known = "Jan  5 10:00:00 mx postfix/qmgr[1]: 4dCXzt0Cvjz5Z: removed\n";
  const std::string other = "Jan  5 10:00:00 mx dovecot: imap-login: Login: user=<ann>\n";
  const FormatCase cases[] = {
      {"known", known, 0, "lines=1 events=1 ignored=0 unparsed=0\n"},
      {"known after a line that is cut", "fix/smtp[1]: " + record + "\n" + known, 0,
       "lines=2 events=1 ignored=1 unparsed=0\n"},
      {"unknown header", "?? postfix/smtp[1]: " + record + "\n", 65,
       "unknown log format: 1 of 1 lines, such as: ?? postfix/smtp[1]: 4dCXzt0Cvjz5Z: to="},
      {"unknown header, summary", "?? postfix/smtp[1]: " + record + "\n", 65,
       "lines=1 events=0 ignored=1 unparsed=0 unknown_format=1\n"},
      {"message alone", record + "\n" + record + "\n", 65, "unknown log format: 2 of 2 lines"},
      {"no stamp", "[   12.5] mx postfix/smtp[1]: " + record + "\n", 65, "unknown log format"},
      {"journalctl -o export", "MESSAGE=" + record + "\n", 65, "unknown log format"},
      {"journalctl -o json-pretty", "\t\"MESSAGE\" : \"" + record + "\"\n", 65,
       "unknown log format"},
      {"some lines unknown", known + "?? postfix/smtp[1]: " + record + "\n", 65,
       "unknown log format: 1 of 2 lines"},
      {"another daemon's", other, 65, "none of 1 lines is a mail log's"},
      {"words", "some\nwords\n", 65, "the first that is unknown: some"},
      {"gzip", "\x1F\x8B\x08rest of it\nand more\n", 65,
       "the gzip data are damaged after 0 octets"},
      {"xz",
       "\xFD"
       "7zXZ rest of it",
       65, "looks compressed with xz"},
      {"no delivery line understood",
       "Jan  5 10:00:00 mx postfix/smtp[1]: 4dCXzt0Cvjz5Z: to=<a@b>, status=sent and nothing\n", 1,
       "unparsed=1"},
      {"empty", "", 0, "nothing to read"},
  };
  const test::ScratchDirectory scratch;
  const std::string log = scratch.path() + "/mail.log";
  for (const FormatCase& test : cases) {
    SCOPED_TRACE(test.name);
    std::ofstream(log, std::ios::binary) << test.log;
    testing::internal::CaptureStderr();
    events_of(log, test.exit_code);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find(test.said), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace mtrk
