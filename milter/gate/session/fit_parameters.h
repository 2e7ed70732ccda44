#pragma once

#include "common/smtp/extensions.h"

#include <string>
#include <string_view>

namespace mtrk::smtp {

// MAIL or RCPT for a server that offers less than its sender was offered: the parameters it does
// not know are taken away, where the message is the same without them. ENVID and ORCPT go to who
// offers DSN or MTRK (DSNX-5.2.2-01), RET and NOTIFY to who offers DSN, SIZE to who offers SIZE.
struct FittedCommand {
  std::string line;          // without CRLF
  std::string_view refusal;  // a reply, if the message cannot be sent there: "554 5.6.3 …"
};
[[nodiscard]] FittedCommand fit_parameters(std::string_view line, const Extensions& offered);

}  // namespace mtrk::smtp
