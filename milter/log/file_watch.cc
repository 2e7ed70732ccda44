#include "milter/log/file_watch.h"

#include <fmt/format.h>

#include <sys/inotify.h>

#include <array>

namespace mtrk {

LogFileWatch::LogFileWatch(const std::string& path)
    : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  ::inotify_add_watch(inotify_.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO);
}

void LogFileWatch::follow(int fd, const FileId& id) {
  if (watched_file_ >= 0 && id == watched_id_) {
    return;
  }
  if (watched_file_ >= 0) {
    ::inotify_rm_watch(inotify_.get(), watched_file_);
  }
  watched_file_ =
      ::inotify_add_watch(inotify_.get(), fmt::format("/proc/self/fd/{}", fd).c_str(), IN_MODIFY);
  watched_id_ = id;
}

void LogFileWatch::drain() {
  alignas(inotify_event) std::array<char, 4096> drained;
  while (::read(inotify_.get(), drained.data(), drained.size()) > 0) {
  }
}

}  // namespace mtrk
