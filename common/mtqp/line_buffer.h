#pragma once

#include "common/mtqp/limits.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk::mtqp {

// CRLF framing, shared by both ends. Feed bytes as they come, take lines; the result does not
// depend on how the bytes were split (W4). Linear; holds at most one line plus what was fed.
class LineBuffer {
 public:
  enum class Kind {
    line,       // complete, without its CRLF, at most kMaxLine octets
    malformed,  // ended by a bare LF, or holds a bare CR or a NUL: never to be executed
    too_long,   // discarded up to its line end
  };
  struct Line {
    Kind kind;
    std::string_view text;  // valid until the next call; empty for too_long
  };

  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<Line> next();

  [[nodiscard]] bool line_started() const;    // some octets of an incomplete line are here
  [[nodiscard]] std::size_t pending() const;  // octets fed and not yet returned as lines
  [[nodiscard]] bool flooded() const;         // kMaxWithoutLf octets came without a line end

 private:
  std::string buffer_;
  std::size_t begin_ = 0;      // start of the first line not yet returned
  std::size_t scanned_ = 0;    // how far no LF was found
  std::size_t discarded_ = 0;  // octets of the over-long line that is being skipped
};

}  // namespace mtrk::mtqp
