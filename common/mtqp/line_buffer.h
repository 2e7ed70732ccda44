#pragma once

#include "common/mtqp/limits.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk::mtqp {

// CRLF framing (RFC 3887 §2.2), shared by both ends. Feed bytes as they come, take lines;
// the result does not depend on how the bytes were split (THR-W4). Linear; holds at most one line
// plus what was fed.
//
// A line ends at LF. Without CR before it the line is malformed, so that `nc` users get an answer
// and nothing they did not mean is executed. An over-long line is discarded up to CRLF, as A-19
// says: what follows a bare LF inside it is still part of it.
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
  // More than kMaxWithoutLf octets came without a line end. From then on next() gives nothing.
  [[nodiscard]] bool flooded() const { return flooded_; }
  // Gives the memory back if nothing is pending: idle connections should cost nothing.
  void release_if_empty();

 private:
  [[nodiscard]] std::optional<Line> finish_line(std::size_t lf);
  [[nodiscard]] std::optional<Line> discard(std::size_t from);

  std::string buffer_;
  std::size_t begin_ = 0;      // start of the first line not yet returned
  std::size_t scanned_ = 0;    // octets after begin_ known to hold no LF
  std::size_t discarded_ = 0;  // octets of the over-long line that is being skipped; 0 = none
  bool discarded_ends_cr_ = false;
  bool flooded_ = false;
};

}  // namespace mtrk::mtqp
