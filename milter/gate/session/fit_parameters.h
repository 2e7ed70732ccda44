#pragma once

#include "common/smtp/extensions.h"

#include <string>
#include <string_view>

namespace mtrk::smtp {

// Fits MAIL or RCPT to a server that offers less than its sender was offered. The parameters that
// the server does not know are removed where the message is the same without them: ENVID and ORCPT
// are kept for a server that offers DSN or MTRK (DSNX-5.2.2-01), RET and NOTIFY for one that offers
// DSN, SIZE for one that offers SIZE.
struct FittedCommand {
  std::string line;  // without CRLF
  // This is a reply such as "554 5.6.3 …" if the message cannot be sent to the server; else empty.
  std::string_view refusal;
};
[[nodiscard]] FittedCommand fit_parameters(std::string_view line, const Extensions& offered);

}  // namespace mtrk::smtp
