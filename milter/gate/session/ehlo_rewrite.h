#pragma once

#include "common/smtp/reply.h"

#include <string>
#include <string_view>

// Rewrites the answer to EHLO for a proxy. Only those extensions are kept that the proxy can carry:
// known ones that do not change how octets are framed. An unknown one might.
namespace mtrk::smtp {

struct EhloRewrite {
  bool keep_auth = true;
  bool keep_chunking = true;  // and BINARYMIME, which needs it
  bool keep_mtrk = false;
  bool add_mtrk = false;  // without parameters, RFC 3885 §2
  bool add_starttls = false;
  bool add_dsn = false;
  std::string_view add_xforward;  // the attributes to announce; empty: none
};
// `reply` has to be positive. Keywords may be in any case. The first line, which is the server's
// name, stays.
[[nodiscard]] Reply rewrite_ehlo(const Reply& reply, const EhloRewrite& how);

// Returns the attributes that a server announces with `keyword`, such as "NAME ADDR PORT" of
// "XCLIENT NAME ADDR PORT"; null if it does not announce the keyword.
[[nodiscard]] const char* find_keyword(const Reply& ehlo, std::string_view keyword);

// Makes every line of a 2xx, 4xx or 5xx reply begin with an enhanced status code (RFC 2034 §4),
// which is class.0.0 where the server gave none.
void add_enhanced_codes(Reply& reply);

// Returns the reply as on the wire, every line with CRLF. Control characters in the text, which no
// server has a reason to send, become "?", because a client might take one for the end of a line.
[[nodiscard]] std::string format_reply(const Reply& reply);

}  // namespace mtrk::smtp
