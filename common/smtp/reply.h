#pragma once

#include "common/base/expected.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// SMTP replies as a client reads them, RFC 5321 §4.2.
namespace mtrk::smtp {

struct Reply {
  int code = 0;                    // 200..599
  std::vector<std::string> lines;  // texts after the code, at least one

  [[nodiscard]] bool positive() const { return code < 300; }
  [[nodiscard]] bool intermediate() const { return code >= 300 && code < 400; }
  [[nodiscard]] bool transient() const { return code >= 400 && code < 500; }
  [[nodiscard]] bool closes() const { return code == 421; }  // the session, RFC 5321 §3.8
  [[nodiscard]] std::string text() const;  // "550 5.1.1 no such user", lines joined by blanks
};

// Reads replies from bytes in any split; linear, holds one reply at most beside what was fed. A
// bare LF ends a line too: SMTP servers are less strict than MTQP's. Fails, and stays failed: no
// code, codes that differ inside one reply, a line over kMaxLine, more than kMaxLines.
class ReplyParser {
 public:
  static constexpr std::size_t kMaxLine = 2048;  // RFC 5321 §4.5.3.1.5 promises 512
  static constexpr std::size_t kMaxLines = 256;

  void feed(std::string_view bytes);
  [[nodiscard]] Expected<std::optional<Reply>> next();  // nothing: more input needed
  // Octets after the last reply: none may wait when a TLS handshake begins.
  [[nodiscard]] std::size_t pending() const { return buffer_.size() - begin_; }

 private:
  [[nodiscard]] Expected<bool> take_line(std::string_view line);  // true: the reply is complete

  std::string buffer_;
  std::size_t begin_ = 0;    // start of the first line not yet taken
  std::size_t scanned_ = 0;  // how far no LF was found
  Reply partial_;
  bool failed_ = false;
};

}  // namespace mtrk::smtp
