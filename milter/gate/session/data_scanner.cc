#include "milter/gate/session/data_scanner.h"

#include <algorithm>
#include <cstring>

namespace mtrk::smtp {
namespace {

// Returns the end of those whole lines at the beginning of `text` that pass as they are: none of
// them begins with a dot or holds a bare CR or LF. Nearly all octets of mail take this fast way.
std::size_t plain_lines(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != '.') {
    const void* found = std::memchr(text.data() + end, '\n', text.size() - end);
    if (found == nullptr) {
      break;
    }
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    const void* cr = std::memchr(text.data() + end, '\r', lf - end);
    if (lf == end || cr != text.data() + lf - 1) {
      break;
    }
    end = lf + 1;
  }
  return end;
}

}  // namespace

std::size_t DataScanner::take(std::string_view in, std::string& out) {
  std::size_t at = 0;
  while (at < in.size() && !done()) {
    if (state_ == State::line_start) {
      const std::size_t plain = plain_lines(in.substr(at));
      out.append(in, at, plain);
      at += plain;
      if (at == in.size()) {
        break;
      }
    } else if (state_ == State::in_line) {
      const std::size_t end = std::min(in.find_first_of("\r\n", at), in.size());
      out.append(in, at, end - at);
      at = end;
      if (at == in.size()) {
        break;
      }
    }
    step(in[at++], out);
  }
  return at;
}

void DataScanner::step(char c, std::string& out) {
  const auto bare_lf = [&](std::string_view line_end) {
    out += line_end;
    state_ = State::lf_start;
    ++repaired_;
  };
  switch (state_) {
    case State::dot:
      if (c == '\r') {
        state_ = State::dot_cr;
        return;
      }
      if (c == '\n') {
        return bare_lf("..\r\n");
      }
      out += '.';
      break;
    case State::dot_cr:
      if (c == '\n') {
        out += ".\r\n";
        state_ = State::done;
        return;
      }
      out += ". ";
      ++repaired_;
      break;
    case State::cr:
      if (c == '\n') {
        out += "\r\n";
        state_ = State::line_start;
        return;
      }
      out += ' ';
      ++repaired_;
      break;
    case State::line_start:
      if (c == '.') {
        state_ = State::dot;
        return;
      }
      break;
    case State::lf_start:
      if (c == '.') {
        out += '.';
      }
      break;
    case State::in_line:
      break;
    case State::done:
      return;
  }
  if (c == '\n') {
    return bare_lf("\r\n");
  }
  if (c == '\r') {
    state_ = State::cr;
    return;
  }
  out += c;
  state_ = State::in_line;
}

}  // namespace mtrk::smtp
