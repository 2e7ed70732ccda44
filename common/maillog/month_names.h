#pragma once

#include <string_view>

namespace mtrk::maillog {

// Returns 1 to 12 for the name of a month, short or in full, and 0 for any other word. It knows
// English and the languages in which journalctl and syslog daemons write months if their locale is
// set (in UTF-8, and for Western languages also in ISO 8859-1). `word` must not end in a dot.
[[nodiscard]] unsigned month_of(std::string_view word);

}  // namespace mtrk::maillog
