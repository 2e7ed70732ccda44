// Each claim in a process of its own, by its exit code.
#include "common/base/process.h"

#include "common/base/exit_code.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace mtrk {
namespace {

int exit_code_of(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool is_null_device(int fd, int access) {
  struct stat null {};
  struct stat status {};
  return ::stat("/dev/null", &null) == 0 && ::fstat(fd, &status) == 0 &&
         status.st_rdev == null.st_rdev && (::fcntl(fd, F_GETFL) & O_ACCMODE) == access;
}

TEST(ProcessTest, StandardDescriptorsAreOpenWhateverWasClosed) {
  for (unsigned closed = 0; closed < 8; ++closed) {
    EXPECT_EQ(exit_code_of([closed] {
                const int zero = ::open("/dev/zero", O_RDWR);
                for (int fd = 0; fd < 3; ++fd) {
                  ::dup2(zero, fd);
                }
                for (int fd = 0; fd < 3; ++fd) {
                  if ((closed >> fd & 1U) != 0) {
                    ::close(fd);
                  }
                }
                open_standard_descriptors();
                for (int fd = 0; fd < 3; ++fd) {
                  const bool opened = is_null_device(fd, fd == 0 ? O_RDONLY : O_WRONLY);
                  if (opened != ((closed >> fd & 1U) != 0)) {
                    return 1;
                  }
                }
                return ::open("/dev/null", O_RDONLY) > 2 ? 0 : 2;
              }),
              0)
        << closed;
  }
}

TEST(ProcessTest, ForbidsDumps) {
  EXPECT_EQ(exit_code_of([] {
              forbid_dumps();
              rlimit core{};
              return ::prctl(PR_GET_DUMPABLE) == 0 && ::getrlimit(RLIMIT_CORE, &core) == 0 &&
                             core.rlim_max == 0
                         ? 0
                         : 1;
            }),
            0);
}

// With standard output leading to `path`.
int finish_into(const std::string& path, std::size_t octets, int code) {
  return exit_code_of([&] {
    ::dup2(::open(path.c_str(), O_WRONLY), STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    std::fputs(std::string(octets, 'x').c_str(), stdout);
    return finish_output("program", code);
  });
}

TEST(ProcessTest, OutputThatIsLostIsAnError) {
  for (const std::size_t octets : {1U, 100U, 5000U, 1'000'000U}) {
    EXPECT_EQ(finish_into("/dev/full", octets, exit_code::ok), exit_code::io_error) << octets;
    EXPECT_EQ(finish_into("/dev/full", octets, 1), exit_code::io_error) << octets;
    EXPECT_EQ(finish_into("/dev/null", octets, 3), 3) << octets;
  }
  EXPECT_EQ(finish_into("/dev/full", 0, 2), 2);
}

TEST(ProcessTest, AReaderThatHasGoneHearsNothingOfIt) {
  int words[2];
  ASSERT_EQ(::pipe(words), 0);
  for (const std::size_t octets : {1U, 100'000U}) {
    EXPECT_EQ(exit_code_of([&] {
                ::signal(SIGPIPE, SIG_IGN);
                int ends[2];
                if (::pipe(ends) != 0) {
                  return 1;
                }
                ::close(ends[0]);
                ::dup2(ends[1], STDOUT_FILENO);
                ::dup2(words[1], STDERR_FILENO);
                std::fputs(std::string(octets, 'x').c_str(), stdout);
                return finish_output("program", exit_code::ok);
              }),
              exit_code::io_error);
  }
  ::close(words[1]);
  char octet = 0;
  EXPECT_EQ(::read(words[0], &octet, 1), 0);
  ::close(words[0]);
}

TEST(ProcessTest, RootBecomesAnotherForGood) {
  EXPECT_EQ(exit_code_of([] {
              try {
                become_account(0, 1);
                return 1;
              } catch (const std::invalid_argument&) {
                return 0;
              }
            }),
            0);
  const int outcome = exit_code_of([] {
    try {
      become_account(12345, 12346);
    } catch (const std::system_error&) {
      return 100;
    }
    const bool became = ::getuid() == 12345 && ::geteuid() == 12345 && ::getgid() == 12346 &&
                        ::getegid() == 12346 && ::getgroups(0, nullptr) == 0;
    const bool back = ::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0;
    const bool closed =
        ::prctl(PR_GET_DUMPABLE) == 0 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    return became && !back && closed ? 0 : 1;
  });
  EXPECT_EQ(outcome, ::geteuid() == 0 ? 0 : 100);  // who is not root cannot
}

}  // namespace
}  // namespace mtrk
