#pragma once

#include "milter/ctl/find/row.h"
#include "milter/ctl/page.h"

#include <span>
#include <string>

namespace mtrk::find {

// Formats rows for people, in lines of at most `columns` (80 or more) columns. Below the day stand
// the time, the sender, the recipient, the outcome and the queue id; the next line has the next hop
// and what was said, if there is anything to say. An address too long for its column is cut in the
// middle ("…"). Log text is made harmless to a terminal.
[[nodiscard]] std::string format_table(std::span<const Row> rows,
                                       const PageStyle& style,
                                       std::size_t columns);

}  // namespace mtrk::find
