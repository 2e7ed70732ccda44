#pragma once

#include "common/base/unique_fd.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk {

// Opens a file for reading; "-" is standard input. Opening a FIFO waits until it has a writer. If
// it fails, the result is empty and errno is set.
[[nodiscard]] UniqueFd open_input(const std::string& path);

// A LineReader reads a descriptor line by line. Its memory is bounded by the longest line that it
// accepts, whatever the input is. It does not own the descriptor. next() throws std::system_error
// if reading fails.
class LineReader {
 public:
  // Reading is given up after this many octets without a line feed (/dev/zero has none).
  static constexpr std::size_t kEndless = std::size_t{64} << 20;

  LineReader(int fd, std::size_t longest) : fd_(fd), longest_(longest) {}

  struct Line {
    std::string_view text;  // without its line feed; valid until the next call; empty if too long
    bool too_long = false;
  };
  // Returns the next line, or nothing at the end of the input or after reading was given up. The
  // last line may lack its line feed.
  [[nodiscard]] std::optional<Line> next();
  // True if the last line that next() returned was endless; whatever follows it is not read.
  [[nodiscard]] bool gave_up() const { return gave_up_; }

 private:
  [[nodiscard]] bool fill();  // returns false at the end

  int fd_;
  std::size_t longest_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // start of the line that is being read
  std::size_t scanned_ = 0;  // there is no line feed between begin_ and here
  std::size_t end_ = 0;
  std::size_t discarded_ = 0;  // octets already dropped of a line that is too long
  bool gave_up_ = false;
};

}  // namespace mtrk
