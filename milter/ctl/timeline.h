#pragma once

#include "milter/ctl/account.h"
#include "milter/ctl/page.h"

#include <optional>
#include <span>
#include <string>

namespace mtrk {

// For people: one message, what became of each recipient that is accounted for, why we think so,
// and each line that says so. What comes from the log is escaped: nothing of it steers the
// terminal. `until`: how far the log goes.
void add_story(Page& page,
               const Message& message,
               std::span<const Account> accounts,
               std::optional<LogTime> until);

}  // namespace mtrk
