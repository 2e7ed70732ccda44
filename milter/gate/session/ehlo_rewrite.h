#pragma once

#include "common/smtp/reply.h"

#include <string>
#include <string_view>

// The answer to EHLO as a proxy gives it on. Only extensions are kept that the proxy can carry:
// known ones that do not change how octets are framed. One that it does not know might.
namespace mtrk::smtp {

struct EhloRewrite {
  bool keep_auth = true;
  bool keep_chunking = true;  // and BINARYMIME, which needs it
  bool keep_mtrk = false;
  bool add_mtrk = false;  // RFC 3885 §2: no parameters
  bool add_starttls = false;
  bool add_dsn = false;
  std::string_view add_xforward;  // its attributes; empty = none
};
// `reply` is positive. Keywords in any case; the first line is the server's name and stays.
[[nodiscard]] Reply rewrite_ehlo(const Reply& reply, const EhloRewrite& how);

// The attributes a server announces with `keyword`, "XCLIENT NAME ADDR PORT" → "NAME ADDR PORT";
// null if it does not announce it.
[[nodiscard]] const char* find_keyword(const Reply& ehlo, std::string_view keyword);

// RFC 2034 §4: every line of a 2xx, 4xx or 5xx reply begins with an enhanced status code; class.0.0
// where the server gave none.
void add_enhanced_codes(Reply& reply);

// As on the wire, every line with CRLF. Control characters in the text, which no server has a
// reason to send, become "?": they must not end a line for somebody behind us.
[[nodiscard]] std::string format_reply(const Reply& reply);

}  // namespace mtrk::smtp
