#include "milter/base/run_command.h"

#include "common/base/unique_fd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Ended {
  std::string complaint;
  std::string output;
};

Ended run(const std::vector<std::string>& command, CommandLimits limits = {}, int stop_fd = -1) {
  Ended result;
  result.complaint = run_command(command, limits, stop_fd,
                                 [&](std::string_view piece) { result.output += piece; });
  return result;
}

TEST(RunCommandTest, GivesTheOutput) {
  const Ended result = run({"/bin/printf", "%s\n", "a b; echo c"});
  EXPECT_EQ(result.complaint, "");
  EXPECT_EQ(result.output, "a b; echo c\n") << "no shell";
}

TEST(RunCommandTest, GivesNothingOfOurEnvironmentAway) {
  ::setenv("MTRK_TEST_SECRET", "x", 1);
  EXPECT_EQ(run({"/usr/bin/env"}).output, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
  ::unsetenv("MTRK_TEST_SECRET");
}

TEST(RunCommandTest, GivesNoDescriptorAway) {
  const UniqueFd ours(::dup(STDIN_FILENO));  // not marked close-on-exec
  const char* const look =
      "for n in 3 4 5 6 7 8 9; do test -e /proc/self/fd/$n && echo $n; done; true";
  EXPECT_EQ(run({"/bin/sh", "-c", look}).output, "");
}

TEST(RunCommandTest, LeavesNoChildBehind) {
  EXPECT_EQ(run({"/bin/true"}).complaint, "");
  EXPECT_EQ(run({"/bin/sleep", "60"}, {20ms}).complaint, "takes too long");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "not even a dead one";
}

TEST(RunCommandTest, SaysWhatWentWrong) {
  EXPECT_THAT(run({"/nonexistent/postqueue"}).complaint, HasSubstr("No such file"));
  EXPECT_EQ(run({"/bin/sh", "-c", "echo 'fatal: no\nsecond' >&2; exit 69"}).complaint,
            "exit status 69: fatal: no");
  EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}).complaint, "ended by signal 9");
}

TEST(RunCommandTest, EndsWhatTakesTooLong) {
  EXPECT_EQ(run({"/bin/sleep", "60"}, {50ms}).complaint, "takes too long");
  EXPECT_EQ(run({"/bin/sh", "-c", "exec >&- 2>&-; sleep 60"}, {50ms}).complaint, "does not end");
}

TEST(RunCommandTest, EndsWhatWritesTooMuch) {
  const Ended result = run({"/usr/bin/yes"}, {60s, 100000});
  EXPECT_EQ(result.complaint, "writes too much");
  EXPECT_LT(result.output.size(), 200000U);
  EXPECT_EQ(run({"/bin/sh", "-c", "head -c 5000000 /dev/zero >&2"}).complaint, "") << "only noise";
}

TEST(RunCommandTest, EndsWhenToldTo) {
  const UniqueFd stop(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  EXPECT_EQ(run({"/bin/sleep", "60"}, {}, stop.get()).complaint, "stopped");
}

TEST(RunCommandTest, SignalsAreAsInAFreshProcess) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const Ended result = run({"/bin/sh", "-c", "kill -TERM $$; echo survived"});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(result.complaint, "ended by signal 15");
}

}  // namespace
}  // namespace mtrk
