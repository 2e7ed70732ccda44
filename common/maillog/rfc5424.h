#pragma once

#include "common/maillog/log_line.h"

#include <string_view>

namespace mtrk::maillog {

// "STAMP HOST APP PROCID MSGID SD [BOM]MSG", what follows the version of RFC 5424 §6.
[[nodiscard]] bool split_rfc5424(std::string_view rest, LogLine& line);

}  // namespace mtrk::maillog
