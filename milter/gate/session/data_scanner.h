#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Finds the end of a message in the octets after "354" (RFC 5321 §4.5.2), and passes the octets on
// as they are, with dots still stuffed. It changes only what servers read in different ways, so
// that no smuggled end of message gets through and none comes into being (RFC 5321 §2.3.8 forbids
// both octets alone):
//
//   a bare LF   becomes CRLF; a dot that then begins a line is stuffed
//   a bare CR   becomes a blank
//
// The message ends only at CRLF.CRLF, or at .CRLF at its beginning. The scanner takes linear time
// and holds at most two octets; its output does not depend on how the input is cut.
namespace mtrk::smtp {

class DataScanner {
 public:
  // Takes octets up to the end of the message, and appends to `out` what is to be passed on.
  // Returns how many octets it took.
  std::size_t take(std::string_view in, std::string& out);

  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] std::size_t repaired() const { return repaired_; }  // bare CR and LF so far

 private:
  enum class State {
    line_start,  // after CRLF, or at the beginning
    lf_start,    // after a bare LF
    in_line,
    cr,      // a CR is held
    dot,     // "." at the start of a line is held
    dot_cr,  // "." CR at the start of a line is held
    done,
  };
  void step(char c, std::string& out);

  State state_ = State::line_start;
  std::size_t repaired_ = 0;
};

}  // namespace mtrk::smtp
