#pragma once

#include "common/smtp/reply.h"

// Extensions holds what a server announces in its answer to EHLO, as far as tracking needs it.
namespace mtrk::smtp {

struct Extensions {
  bool mtrk = false;  // RFC 3885 §2; parameters are tolerated (MTRK-2-03)
  bool dsn = false;   // RFC 3461
  bool starttls = false;
  bool eightbitmime = false;
  bool smtputf8 = false;
  bool size = false;
  bool pipelining = false;
};

// Parses the answer to EHLO. Its first line is the name of the server. Keywords may be in any case;
// unknown ones are skipped.
[[nodiscard]] Extensions parse_ehlo(const Reply& reply);

}  // namespace mtrk::smtp
