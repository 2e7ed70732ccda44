#include "milter/ctl_events.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace mtrk {
namespace {

// What the command writes on stdout.
std::string events_of(const std::string& log) {
  const test::ScratchDirectory scratch;
  const std::string path = scratch.path() + "/out";
  std::fflush(stdout);
  const int saved = ::dup(STDOUT_FILENO);
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::close(out);
  EXPECT_EQ(run_events({{log}, {}}), 0);
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

}  // namespace
}  // namespace mtrk
