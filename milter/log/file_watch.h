#pragma once

#include "common/base/unique_fd.h"
#include "milter/log/siblings.h"

#include <string>

namespace mtrk {

// Wakes whoever polls fd() when a log file grows, or another takes its place (inotify). Without it
// (limits reached, network file systems) only the poll of every second is left.
class LogFileWatch {
 public:
  explicit LogFileWatch(const std::string& path);

  [[nodiscard]] int fd() const { return inotify_.get(); }
  // The file to watch from now on, by its descriptor, so that a rename in between cannot deceive
  // us.
  void follow(int fd, const FileId& id);
  void drain();

 private:
  UniqueFd inotify_;
  int watched_file_ = -1;
  FileId watched_id_;
};

}  // namespace mtrk
