#include "milter/base/run_command.h"

#include "common/base/ascii.h"
#include "common/base/unique_fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

namespace mtrk {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kShownError = 200;
constexpr std::chrono::seconds kLastPatience{5};

std::string reason(std::string_view what, int error) {
  return fmt::format("{}: {}", what, std::generic_category().message(error));
}

struct Pipe {
  UniqueFd read, write;

  [[nodiscard]] bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return false;
    }
    read.reset(ends[0]);
    write.reset(ends[1]);
    return ::fcntl(read.get(), F_SETFL, O_NONBLOCK) == 0;
  }
};

// Gives the program a process group of its own, and neither our signal mask nor the signals that we
// ignore.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    for (const int signal : {SIGHUP, SIGPIPE, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) {
      sigaddset(&set, signal);
    }
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  // To be called last: the program must not get libmilter's sockets, which are not marked
  // close-on-exec.
  void close_all_others() {
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~Attributes() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  void redirect(const UniqueFd& from, int to) {
    posix_spawn_file_actions_adddup2(&actions_, from.get(), to);
  }
  [[nodiscard]] int spawn(pid_t& pid, char* const* arguments) const {
    const std::array<const char*, 3> environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                                 nullptr};
    return ::posix_spawnp(&pid, arguments[0], &actions_, &attributes_, arguments,
                          const_cast<char* const*>(environment.data()));
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

// Ends the child with the object. Only a child that the kernel does not release within seconds, or
// that has taken another user's id, may live on; the destructor does not wait longer for it.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);  // also ends what the child has started
      static_cast<void>(wait_until(Clock::now() + kLastPatience));
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Returns the child's status if it ended before the deadline, else -1.
  [[nodiscard]] int wait_until(Clock::time_point deadline) {
    for (;;) {
      int status = 0;
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended == pid_) {
        pid_ = 0;
        return status;
      }
      if (ended < 0 && errno != EINTR) {
        pid_ = 0;
        return -1;
      }
      if (Clock::now() >= deadline) {
        return -1;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

 private:
  pid_t pid_;
};

// Passes what a descriptor has now to `take`, and closes it at its end.
template <typename Take>
void drain(UniqueFd& from, std::vector<char>& buffer, Take take) {
  const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
  if (n > 0) {
    take(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    from.reset(-1);
  }
}

std::string describe(int status, const std::string& said) {
  if (status == 0) {
    return {};
  }
  std::string text = status == -1          ? "does not end"
                     : WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                                           : fmt::format("exit status {}", WEXITSTATUS(status));
  if (!said.empty()) {
    text += ": " + escape_for_people(trim(said.substr(0, said.find('\n'))), kShownError);
  }
  return text;
}

}  // namespace

std::string run_command(const std::vector<std::string>& command,
                        const CommandLimits& limits,
                        int stop_fd,
                        const std::function<void(std::string_view)>& take) {
  const Clock::time_point deadline = Clock::now() + limits.time;
  Pipe out;
  Pipe error;
  if (!out.open() || !error.open()) {
    return reason("pipe", errno);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  pid_t pid = 0;
  {
    Attributes attributes;
    attributes.redirect(out.write, STDOUT_FILENO);
    attributes.redirect(error.write, STDERR_FILENO);
    attributes.close_all_others();
    if (const int failed = attributes.spawn(pid, arguments.data()); failed != 0) {
      return reason(command[0], failed);
    }
  }
  Child child(pid);
  out.write.reset(-1);
  error.write.reset(-1);

  std::vector<char> buffer(kPiece);
  std::size_t octets = 0;
  std::string said;
  while (out.read || error.read) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return "takes too long";
    }
    std::array<pollfd, 3> ready{{{out.read ? out.read.get() : -1, POLLIN, 0},
                                 {error.read ? error.read.get() : -1, POLLIN, 0},
                                 {stop_fd, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return reason("poll", errno);
    }
    if (ready[2].revents != 0) {
      return "stopped";
    }
    if (ready[0].revents != 0) {
      drain(out.read, buffer, [&](std::string_view piece) {
        octets += piece.size();
        take(piece);
      });
    }
    if (ready[1].revents != 0) {
      drain(error.read, buffer, [&](std::string_view piece) {
        said.append(piece.substr(0, kShownError - std::min(kShownError, said.size())));
      });
    }
    if (octets > limits.octets) {
      return "writes too much";
    }
  }
  return describe(child.wait_until(deadline), said);
}

}  // namespace mtrk
