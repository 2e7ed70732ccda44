#include "milter/store_process/keeper.h"

#include "common/base/exit_code.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

constexpr char kCareful = 1;
constexpr char kQuiet = 2;
constexpr char kFreshLock = 4;
constexpr char kHopeless = 8;
constexpr char kStart = 'a';  // followed by the flags
constexpr char kKill = '!';

std::system_error failed(const char* what) {
  return {errno, std::system_category(), what};
}

std::array<UniqueFd, 2> socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw failed("socketpair");
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void send_descriptor(int control, int descriptor) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &descriptor, sizeof(int));
  static_cast<void>(::sendmsg(control, &message, MSG_NOSIGNAL));
}

UniqueFd receive_descriptor(int control) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const head = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) {
    errno = got < 0 ? errno : ECHILD;
    throw failed("no store process");
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(head), sizeof(int));
  return UniqueFd(descriptor);
}

void end_with(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(exit_code::ok);
  }
}

// Keeper is the keeper's process. It never returns.
class Keeper {
 public:
  Keeper(int control, const StoreKeeper::Serve& serve) : control_(control), serve_(serve) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &children, &mask_);
    deaths_ = UniqueFd(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<pollfd, 2> events{{{control_, POLLIN, 0}, {deaths_.get(), POLLIN, 0}}};
      ::poll(events.data(), events.size(), -1);
      if (events[1].revents != 0) {
        reap();
      }
      if (events[0].revents != 0) {
        obey();
      }
    }
  }

 private:
  void reap() {
    signalfd_siginfo ignored{};
    static_cast<void>(!::read(deaths_.get(), &ignored, sizeof ignored));
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = -1;
      static_cast<void>(::send(control_, &status, sizeof status, MSG_NOSIGNAL));
    }
  }

  void obey() {
    char command = 0;
    if (::recv(control_, &command, 1, 0) != 1) {
      if (child_ > 0) {
        ::kill(child_, SIGKILL);
      }
      ::_exit(exit_code::ok);
    }
    if (command == kKill) {
      if (child_ > 0) {
        ::kill(child_, SIGKILL);
      }
    } else {
      start(command - kStart);
    }
  }

  void start(int flags) {
    std::array<UniqueFd, 2> ends = socket_pair(SOCK_STREAM);
    const pid_t self = ::getpid();
    child_ = ::fork();
    if (child_ == 0) {
      end_with(self);
      ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
      ::prctl(PR_SET_NAME, "mtrk-store");
      ::close(control_);
      deaths_.reset(-1);
      ends[0].reset(-1);
      int code = exit_code::software;
      try {
        code = serve_(std::move(ends[1]), {(flags & kCareful) != 0, (flags & kQuiet) != 0,
                                           (flags & kFreshLock) != 0, (flags & kHopeless) != 0});
      } catch (...) {
      }
      ::_exit(code);
    }
    if (child_ > 0) {
      send_descriptor(control_, ends[0].get());
    } else {
      const char none = 0;  // sent without a descriptor: there is no process
      static_cast<void>(::send(control_, &none, 1, MSG_NOSIGNAL));
    }
  }

  int control_;
  const StoreKeeper::Serve& serve_;
  UniqueFd deaths_;
  sigset_t mask_{};
  pid_t child_ = -1;
};

}  // namespace

StoreKeeper::StoreKeeper(Serve serve) {
  std::array<UniqueFd, 2> ends = socket_pair(SOCK_SEQPACKET);
  const pid_t self = ::getpid();
  keeper_ = ::fork();
  if (keeper_ < 0) {
    throw failed("fork");
  }
  if (keeper_ == 0) {
    end_with(self);
    ::prctl(PR_SET_NAME, "mtrk-keeper");
    ends[0].reset(-1);
    try {
      Keeper(ends[1].get(), serve).run();
    } catch (...) {
      ::_exit(exit_code::os_error);
    }
  }
  control_ = std::move(ends[0]);
}

StoreKeeper::~StoreKeeper() {
  control_.reset(-1);
  while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

UniqueFd StoreKeeper::start(Start start) {
  const char command =
      static_cast<char>(kStart + (start.careful ? kCareful : 0) + (start.quiet ? kQuiet : 0) +
                        (start.fresh_lock ? kFreshLock : 0) + (start.hopeless ? kHopeless : 0));
  if (::send(control_.get(), &command, 1, MSG_NOSIGNAL) != 1) {
    throw failed("no keeper of the store");
  }
  return receive_descriptor(control_.get());
}

std::optional<int> StoreKeeper::ended() {
  int status = 0;
  ssize_t got = 0;
  do {
    got = ::recv(control_.get(), &status, sizeof status, 0);
  } while (got < 0 && errno == EINTR);
  return got == sizeof status ? std::optional(status) : std::nullopt;
}

void StoreKeeper::kill() {
  static_cast<void>(::send(control_.get(), &kKill, 1, MSG_NOSIGNAL));
}

}  // namespace mtrk
