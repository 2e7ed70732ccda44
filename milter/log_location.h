#pragma once

#include "common/base/expected.h"
#include "common/config/config.h"

#include <string>

namespace mtrk {

// What mtrk-milter cannot do with [log] of a valid configuration; empty = nothing.
[[nodiscard]] std::string log_complaint(const Config& config);

// The file to follow: that of "file:/path"; for "auto" Postfix's maillog_file if postconf(1)
// answers within two seconds, else /var/log/mail.log. Runs a program: before any thread, before the
// store is open.
[[nodiscard]] std::string locate_log(const Config& config);

}  // namespace mtrk
