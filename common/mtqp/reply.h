#pragma once

#include "common/base/expected.h"
#include "common/mtqp/line_buffer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions read and write replies (RFC 3887 §2.3). A reply has a status indicator, /info
// items and a text; its body, if any, consists of several lines and is dot-stuffed.
namespace mtrk::mtqp {

// The "+" after an indicator is no part of the status: it announces the body.
enum class ReplyStatus { ok, temp, err, bad };

struct Reply {
  ReplyStatus status = ReplyStatus::ok;
  std::vector<std::string> info;    // "MTQP", "noinfo", …, as sent
  std::string text;                 // for logs, not for users (MTQP-2.3-06)
  std::optional<std::string> body;  // unstuffed, with CRLF after each line; present for +OK+

  [[nodiscard]] bool has_info(std::string_view word) const;  // in upper or lower case
};

// Parses the status line of a reply, without CRLF (ABNF-17 to -21). The indicator may be in any
// case. After "+OK+" the body is present and empty.
[[nodiscard]] Expected<Reply> parse_status_line(std::string_view line);

// Appends a body in the form of a multi-line answer: stuffs dots, adds a missing CRLF to the last
// line, and adds the final line "." (MTQP-2.3-08).
void append_stuffed(std::string& out, std::string_view body);

// A ReplyParser reads replies from bytes that may be split anywhere. It fails, and keeps failing,
// on what no server may send: a bad indicator, a bare LF, CR or NUL, a line over 998 octets, or a
// body over `max_body` octets.
class ReplyParser {
 public:
  explicit ReplyParser(std::size_t max_body);
  void feed(std::string_view bytes);
  [[nodiscard]] Expected<std::optional<Reply>> next();  // nothing: more input is needed
  [[nodiscard]] std::size_t pending() const;            // octets after the last reply (THR-C1)

 private:
  [[nodiscard]] Unexpected give_up(ErrorCode code, std::string detail);

  LineBuffer lines_;
  std::size_t max_body_;
  std::optional<Reply> partial_;
  std::optional<Error> error_;
};

}  // namespace mtrk::mtqp
