#pragma once

#include "common/mtqp/limits.h"

#include <optional>
#include <string>
#include <string_view>

namespace mtrk::mtqp {

// A LineBuffer does the CRLF framing of both ends (RFC 3887 §2.2), in linear time. Feed it bytes as
// they arrive, and take lines; the result does not depend on how the bytes were split (THR-W4). It
// holds at most one line besides what was fed.
//
// A line ends at LF. If there is no CR before it, the line is malformed: users of `nc` then get an
// answer, and nothing is executed by accident. An over-long line is discarded up to its CRLF, as
// A-19 requires: what follows a bare LF inside it is still part of it.
class LineBuffer {
 public:
  enum class Kind {
    line,       // complete, without its CRLF, at most kMaxLine octets
    malformed,  // ends in a bare LF, or holds a bare CR or a NUL; must never be executed
    too_long,   // over-long and discarded
  };
  struct Line {
    Kind kind;
    std::string_view text;  // valid until the next call; empty for too_long
  };

  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<Line> next();

  [[nodiscard]] bool line_started() const;    // part of an incomplete line has arrived
  [[nodiscard]] std::size_t pending() const;  // octets fed and not yet returned as lines
  // True if more than kMaxWithoutLf octets arrived without a line end. next() then returns nothing.
  [[nodiscard]] bool flooded() const { return flooded_; }
  // Frees the memory if nothing is pending, so that idle connections need none.
  void release_if_empty();

 private:
  [[nodiscard]] std::optional<Line> finish_line(std::size_t lf);
  [[nodiscard]] std::optional<Line> discard(std::size_t from);

  std::string buffer_;
  std::size_t begin_ = 0;      // start of the first line not yet returned
  std::size_t scanned_ = 0;    // this many octets after begin_ hold no LF
  std::size_t discarded_ = 0;  // octets of the over-long line that is being skipped; 0 = none
  bool discarded_ends_cr_ = false;
  bool flooded_ = false;
};

}  // namespace mtrk::mtqp
