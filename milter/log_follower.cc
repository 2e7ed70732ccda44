#include "milter/log_follower.h"

#include "common/base/log.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <exception>
#include <utility>

namespace mtrk {

LogFollower::LogFollower(FileLogSource source, StoreQueue& queue, Counters& counters)
    : source_(std::move(source)),
      queue_(queue),
      counters_(counters),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  const std::size_t slash = source_.path().rfind('/');
  const std::string directory =
      slash == std::string::npos ? "." : source_.path().substr(0, slash + 1);
  // Without inotify (limits reached) the poll of every second is left.
  ::inotify_add_watch(inotify_.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO);
}

LogFollower::~LogFollower() {
  request_stop();
  join();
}

void LogFollower::start() {
  thread_ = std::thread([this] { run(); });
}

void LogFollower::request_stop() {
  stopping_ = true;
  ::eventfd_write(stop_event_.get(), 1);
}

void LogFollower::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LogFollower::run() noexcept {
  while (!stopping_) {
    try {
      follow();
    } catch (const std::exception& error) {
      count(counters_.exceptions);
      log::error("", {{"log", source_.path()}, {"error", error.what()}});
      pollfd stop{stop_event_.get(), POLLIN, 0};
      ::poll(&stop, 1, static_cast<int>(kPoll.count()));
    }
  }
}

void LogFollower::follow() {
  if (std::optional<LogLines> before = source_.warm_up(); before && !queue_.push_log(*before)) {
    return;
  }
  while (!stopping_ && push_all()) {
    watch();
    if (!push_all()) {  // what was written before the watch was set
      return;
    }
    wait();
  }
}

// False if the queue is closed.
bool LogFollower::push_all() {
  while (!stopping_) {
    std::optional<LogLines> lines = source_.next(FileLogSource::Clock::now());
    if (!lines) {
      return true;
    }
    if (!queue_.push_log(std::move(*lines))) {
      stopping_ = true;
    }
  }
  return false;
}

// Watches the newest file by its descriptor, so that a rename in between cannot deceive us.
void LogFollower::watch() {
  const int fd = source_.newest_fd();
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    return;
  }
  const FileId id{status.st_dev, status.st_ino};
  if (file_watch_ >= 0 && id == watched_) {
    return;
  }
  if (file_watch_ >= 0) {
    ::inotify_rm_watch(inotify_.get(), file_watch_);
  }
  file_watch_ =
      ::inotify_add_watch(inotify_.get(), fmt::format("/proc/self/fd/{}", fd).c_str(), IN_MODIFY);
  watched_ = id;
}

void LogFollower::wait() {
  constexpr int kSettling = 50;
  std::array<pollfd, 2> events{{{stop_event_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}}};
  const int timeout = source_.settling() ? kSettling : static_cast<int>(kPoll.count());
  if (::poll(events.data(), events.size(), timeout) <= 0 || events[0].revents != 0) {
    return;
  }
  ::poll(events.data(), 1, static_cast<int>(kPause.count()));  // let the burst finish
  alignas(inotify_event) std::array<char, 4096> drained;
  while (::read(inotify_.get(), drained.data(), drained.size()) > 0) {
  }
}

}  // namespace mtrk
