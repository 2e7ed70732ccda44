#pragma once

#include "common/smtp/reply.h"

// What a server announces in its answer to EHLO, as far as tracking needs it.
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

// Keywords in any case; unknown ones are skipped. The first line is the server's name.
[[nodiscard]] Extensions parse_ehlo(const Reply& reply);

}  // namespace mtrk::smtp
