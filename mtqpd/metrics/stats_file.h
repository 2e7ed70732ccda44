#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mtrk::mtqpd {

// Writes the counters to a file that everybody may read, and which is always replaced as a whole.
// People read these numbers and nothing depends on them, so a failure is reported once, and each
// later write tries again.
class StatsFile {
 public:
  explicit StatsFile(std::string path) : path_(std::move(path)) {}  // an empty path writes nothing

  // Returns the error to log if the write failed and the one before did not; else nothing. Throws
  // only std::bad_alloc.
  [[nodiscard]] std::string write(std::string_view text);

 private:
  std::string path_;
  bool failed_ = false;
};

}  // namespace mtrk::mtqpd
