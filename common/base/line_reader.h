#pragma once

#include "common/base/unique_fd.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk {

// "-" is standard input. For reading; a pipe is waited for. Nothing, with errno, if it fails.
[[nodiscard]] UniqueFd open_input(const std::string& path);

// The lines of a descriptor, whatever stands in it and however much: memory is bounded by the
// longest line that is taken. The descriptor stays the caller's. Fails: std::system_error when
// reading does.
class LineReader {
 public:
  // After so many octets without a line feed nobody waits for one any more (/dev/zero has none).
  static constexpr std::size_t kEndless = std::size_t{64} << 20;

  LineReader(int fd, std::size_t longest) : fd_(fd), longest_(longest) {}

  struct Line {
    std::string_view text;  // without its line feed; until the next call; empty if it is too long
    bool too_long = false;
  };
  // Nothing at the end, or where reading was given up. The last line may lack its line feed.
  [[nodiscard]] std::optional<Line> next();
  // The line handed out last had no end, and what may come after it will not be read.
  [[nodiscard]] bool gave_up() const { return gave_up_; }

 private:
  [[nodiscard]] bool fill();  // false at the end

  int fd_;
  std::size_t longest_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;    // of the line that is being read
  std::size_t scanned_ = 0;  // no line feed before
  std::size_t end_ = 0;
  std::size_t discarded_ = 0;  // octets of a line that is too long
  bool gave_up_ = false;
};

}  // namespace mtrk
