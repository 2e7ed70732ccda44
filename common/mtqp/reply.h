#pragma once

#include "common/base/expected.h"
#include "common/mtqp/line_buffer.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Replies, RFC 3887 §2.3: status indicator, /info items, text; multi-line bodies dot-stuffed.
namespace mtrk::mtqp {

enum class ReplyStatus { ok, temp, err, bad };  // "+" derives from having a body

struct Reply {
  ReplyStatus status = ReplyStatus::ok;
  std::vector<std::string> info;    // "MTQP", "noinfo", …; as sent
  std::string text;                 // for logs, never for users (MTQP-2.3-06)
  std::optional<std::string> body;  // unstuffed, lines with CRLF; present for +OK+

  [[nodiscard]] bool has_info(std::string_view word) const;  // in any case
};

// The status line of a reply, without CRLF (ABNF-17 to -21). The body of a "+OK+" is present and
// empty. Indicators in any case.
[[nodiscard]] Expected<Reply> parse_status_line(std::string_view line);

// Appends a body as a multi-line answer's data: dot-stuffs, adds the final "." line (MTQP-2.3-08).
// A last line without its CRLF gets one.
void append_stuffed(std::string& out, std::string_view body);

// Reads replies from bytes in any split. Fails (and stays failed) on what no server may send: bad
// indicator, bare LF, CR or NUL, a line over 998 octets, a body over `max_body`.
class ReplyParser {
 public:
  explicit ReplyParser(std::size_t max_body);
  void feed(std::string_view bytes);
  [[nodiscard]] Expected<std::optional<Reply>> next();  // nothing: more input needed
  [[nodiscard]] std::size_t pending() const;            // octets after the last reply (THR-C1)

 private:
  [[nodiscard]] Unexpected give_up(ErrorCode code, std::string detail);

  LineBuffer lines_;
  std::size_t max_body_;
  std::optional<Reply> partial_;
  std::optional<Error> error_;
};

}  // namespace mtrk::mtqp
