#include "common/base/process.h"

#include "common/base/exit_code.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace mtrk {
namespace {

void require_done(bool held, const char* what) {
  if (!held) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

// The kernel removes the capabilities of a process that leaves user 0; this removes them whatever
// the securebits say. Lowering them needs no privilege.
bool drop_capabilities() {
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  return ::syscall(SYS_capset, &header, none) == 0;
}

// Returns whether the reader of the pipe or socket has closed it, which is not an error of ours.
bool reader_has_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void open_standard_descriptors() noexcept {
  // open(2) takes the lowest free number, and all below `fd` are open by now.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) {
      continue;
    }
    if (::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd) {
      std::_Exit(exit_code::os_error);
    }
  }
}

void forbid_dumps() noexcept {
  const rlimit no_core{0, 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &no_core));
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

bool is_output_error(const std::exception& error) noexcept {
  const auto* const system = dynamic_cast<const std::system_error*>(&error);
  const bool broken_pipe = system != nullptr && system->code() == std::errc::broken_pipe;
  return std::ferror(stdout) != 0 || (broken_pipe && reader_has_gone());
}

int finish_output(std::string_view program, int code) noexcept {
  const bool failed_before = std::ferror(stdout) != 0;
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && !failed_before) {
    return code;
  }
  if (!reader_has_gone()) {
    std::fprintf(stderr, "%.*s: standard output: %s\n", static_cast<int>(program.size()),
                 program.data(), errno != 0 ? std::strerror(errno) : "some of it was lost");
  }
  return exit_code::io_error;
}

void become_account(uid_t user, gid_t group) {
  if (user == 0 || group == 0) {
    throw std::invalid_argument("root is no account to become");
  }
  require_done(::setgroups(0, nullptr) == 0, "setgroups");
  require_done(::setresgid(group, group, group) == 0, "setresgid");
  require_done(::setresuid(user, user, user) == 0, "setresuid");
  require_done(drop_capabilities(), "capset");
  require_done(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  forbid_dumps();  // changing the user may have reset it
  if (::setuid(0) == 0) {
    throw std::system_error(EPERM, std::generic_category(), "root was not given up");
  }
}

}  // namespace mtrk
