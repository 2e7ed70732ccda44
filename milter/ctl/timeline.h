#pragma once

#include "milter/ctl/account.h"
#include "milter/ctl/page.h"

#include <optional>
#include <span>
#include <string>

namespace mtrk {

// Adds a message for people: what became of each recipient in `accounts`, the reason for that
// answer, and each line that supports it. Log text is escaped, so that nothing in it can control
// the terminal. `until` is how far the log reaches.
void add_story(Page& page,
               const Message& message,
               std::span<const Account> accounts,
               std::optional<LogTime> until);

}  // namespace mtrk
