#include "common/base/log.h"

#include "common/base/unique_fd.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <thread>
#include <vector>

namespace mtrk::log {
namespace {

// Standard error goes into a pipe for as long as this lives.
class CapturedStderr {
 public:
  CapturedStderr() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_NONBLOCK), 0);
    read_end_.reset(ends[0]);
    saved_.reset(::dup(STDERR_FILENO));
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~CapturedStderr() {
    ::dup2(saved_.get(), STDERR_FILENO);
    ::unsetenv("JOURNAL_STREAM");
    open(Sink::standard_error, "test", Level::info);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string text() {
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(read_end_.get(), buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  UniqueFd read_end_;
  UniqueFd saved_;
};

TEST(LogTest, QueueIdFirstThenKeysAndValues) {
  EXPECT_EQ(format_line("4jWabc", {{"mtrk", "tracked"}, {"key", "1f2e3d4c"}}),
            "4jWabc: mtrk=tracked, key=1f2e3d4c");
  EXPECT_EQ(format_line("", {{"store", "full"}}), "store=full");
  EXPECT_EQ(format_line("", {{"", "listening"}, {"on", "[::]:1038"}}), "listening, on=[::]:1038");
}

TEST(LogTest, HostileTextStaysOnOneLine) {
  EXPECT_EQ(format_line("4jW\n", {{"text", "550 no\r\nMay 1 postfix/smtp: sent \x1b[2J"}}),
            "4jW\\x0a: text=550 no\\x0d\\x0aMay 1 postfix/smtp: sent \\x1b[2J");
}

TEST(LogTest, LinesAreCut) {
  const std::string long_text(2000, 'x');
  const std::string line = format_line("4jW", {{"a", long_text}, {"b", long_text}});
  EXPECT_EQ(line.size(), 512U);
  EXPECT_EQ(line.substr(line.size() - 6), "x[cut]");
}

TEST(LogTest, PlainStandardErrorNamesTheProgram) {
  CapturedStderr captured;
  ::unsetenv("JOURNAL_STREAM");
  open(Sink::standard_error, "mtqpd", Level::notice);
  info("", {{"hidden", "1"}});
  notice("4jW", {{"mtrk", "tracked"}});
  EXPECT_EQ(captured.text(), "mtqpd: 4jW: mtrk=tracked\n");
}

TEST(LogTest, AJournalGetsPriorities) {
  CapturedStderr captured;
  struct stat status {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
  ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
  open(Sink::standard_error, "mtqpd", Level::debug);
  write(Level::debug, "", {{"a", "1"}});
  info("", {{"a", "1"}});
  notice("", {{"a", "1"}});
  warning("", {{"a", "1"}});
  error("", {{"a", "1"}});
  EXPECT_EQ(captured.text(), "<7>a=1\n<6>a=1\n<5>a=1\n<4>a=1\n<3>a=1\n");
}

TEST(LogTest, AnInheritedJournalStreamThatIsNotOursIsIgnored) {
  CapturedStderr captured;
  ::setenv("JOURNAL_STREAM", "1:2", 1);
  open(Sink::standard_error, "mtqpd", Level::info);
  info("", {{"a", "1"}});
  EXPECT_EQ(captured.text(), "mtqpd: a=1\n");
}

TEST(LogTest, LinesOfSeveralThreadsNeverMix) {
  CapturedStderr captured;
  open(Sink::standard_error, "t", Level::info);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 100; ++n) {
          info("4jW", {{"key", "0123456789"}});
        }
      });
    }
  }
  std::istringstream lines(captured.text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line, "t: 4jW: key=0123456789");
  }
  EXPECT_EQ(count, 400);
}

}  // namespace
}  // namespace mtrk::log
