#pragma once

#include "milter/ctl/find/row.h"
#include "milter/ctl/page.h"

#include <span>
#include <string>

namespace mtrk::find {

// Rows for people, in lines of at most `columns` (80 or more) columns: under the day, time, sender,
// recipient, what became of it and queue id; below that, where there is something to say, next hop
// and what was said. Addresses that are too long for their column are cut in the middle ("…"). What
// comes from a log is harmless to a terminal.
[[nodiscard]] std::string format_table(std::span<const Row> rows,
                                       const PageStyle& style,
                                       std::size_t columns);

}  // namespace mtrk::find
