#pragma once

#include "common/maillog/log_line.h"

#include <string_view>

namespace mtrk::maillog {

// Splits "STAMP HOST APP PROCID MSGID SD [BOM]MSG", which follows the version in a header of RFC
// 5424 §6. Returns false if `rest` does not have this form.
[[nodiscard]] bool split_rfc5424(std::string_view rest, LogLine& line);

}  // namespace mtrk::maillog
