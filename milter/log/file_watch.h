#pragma once

#include "common/base/unique_fd.h"
#include "milter/log/siblings.h"

#include <string>

namespace mtrk {

// Makes fd() readable when a log file grows or another takes its place (inotify). If inotify does
// not work (limits are reached, or on a network file system), the reader only has its poll of every
// second.
class LogFileWatch {
 public:
  explicit LogFileWatch(const std::string& path);

  [[nodiscard]] int fd() const { return inotify_.get(); }
  // Watches this file from now on. It is named by its descriptor, so that a rename in between does
  // no harm.
  void follow(int fd, const FileId& id);
  void drain();

 private:
  UniqueFd inotify_;
  int watched_file_ = -1;
  FileId watched_id_;
};

}  // namespace mtrk
