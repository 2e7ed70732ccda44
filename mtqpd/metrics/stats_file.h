#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mtrk::mtqpd {

// The counters as a file that everybody may read, replaced as a whole. They are numbers for people:
// nothing depends on them, so a failure is told once and tried again.
class StatsFile {
 public:
  explicit StatsFile(std::string path) : path_(std::move(path)) {}  // empty: none is kept

  // What there is to log: an error, if it is the first in a row. Never throws but for memory.
  [[nodiscard]] std::string write(std::string_view text);

 private:
  std::string path_;
  bool failed_ = false;
};

}  // namespace mtrk::mtqpd
