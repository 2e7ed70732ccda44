#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// The octets between "354" and the end of a message (RFC 5321 §4.5.2), passed on as they are: dots
// stay stuffed. Only what servers disagree about is made unambiguous, so that no smuggled end of
// message gets through and none comes into being (RFC 5321 §2.3.8 forbids both octets alone):
//
//   a bare LF   becomes CRLF; a dot that then begins a line is stuffed
//   a bare CR   becomes a blank
//
// The message ends at CRLF.CRLF alone (or .CRLF at its beginning). Linear, holds two octets at
// most, and what comes out does not depend on how the input is cut.
namespace mtrk::smtp {

class DataScanner {
 public:
  // Takes octets up to the end of the message, appends what to pass on to `out`; how many it took.
  std::size_t take(std::string_view in, std::string& out);

  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] std::size_t repaired() const { return repaired_; }  // bare CR and LF so far

 private:
  enum class State {
    line_start,  // behind CRLF, or at the beginning
    lf_start,    // behind a bare LF
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
