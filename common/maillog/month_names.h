#pragma once

#include <string_view>

namespace mtrk::maillog {

// 1 to 12 for the name of a month, short or in full, in English and in the languages whose words
// journalctl and syslog daemons write where their locale is set (UTF-8, or ISO 8859-1 for Western
// ones); 0 if it is none. `word` has no dot at its end.
[[nodiscard]] unsigned month_of(std::string_view word);

}  // namespace mtrk::maillog
