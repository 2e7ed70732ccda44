#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These types read SMTP replies for a client (RFC 5321 §4.2).
namespace mtrk::smtp {

struct Reply {
  int code = 0;                    // 200..599
  std::vector<std::string> lines;  // the texts after the code, at least one

  [[nodiscard]] bool positive() const { return code < 300; }
  [[nodiscard]] bool intermediate() const { return code >= 300 && code < 400; }
  [[nodiscard]] bool transient() const { return code >= 400 && code < 500; }
  // Returns whether the server closes the session (RFC 5321 §3.8).
  [[nodiscard]] bool closes() const { return code == 421; }
  // Returns a text like "550 5.1.1 no such user", in which the lines are joined by blanks.
  [[nodiscard]] std::string text() const;
};

// A ReplyParser reads replies from bytes that may be split anywhere. Runs in linear time, and it
// holds at most one reply besides what was fed. A bare LF also ends a line, because SMTP servers
// are less strict than MTQP servers. It fails, and keeps failing, if a line has no code, if the
// codes of one reply differ, if a line is longer than kMaxLine octets, or if there are more than
// kMaxLines lines.
class ReplyParser {
 public:
  static constexpr std::size_t kMaxLine = 2048;  // RFC 5321 §4.5.3.1.5 allows 512
  static constexpr std::size_t kMaxLines = 256;

  void feed(std::string_view bytes);
  [[nodiscard]] Expected<std::optional<Reply>> next();  // nothing: more input is needed
  // Returns the number of octets after the last reply, which must be 0 when a TLS handshake begins.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - begin_; }

 private:
  // Returns whether the reply is complete.
  [[nodiscard]] Expected<bool> take_line(std::string_view line);

  std::string buffer_;
  std::size_t begin_ = 0;    // start of the first line not yet taken
  std::size_t scanned_ = 0;  // there is no LF between begin_ and here
  Reply partial_;
  bool failed_ = false;
};

}  // namespace mtrk::smtp
