#pragma once

#include "common/base/expected.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// Instants and their spellings. Pure: nothing here reads a clock or a time zone; `now` is always
// a parameter. RFC 5322 §3.3 (numeric zones only, as RFC 3464 asks), RFC 3339, and the stamps of
// mail logs.
namespace mtrk {

using Seconds = std::chrono::seconds;
using Minutes = std::chrono::minutes;
using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;
using TimePoint = std::chrono::sys_time<Seconds>;     // what records and reports hold
using LogTime = std::chrono::sys_time<Microseconds>;  // what log stamps may resolve

// "Mon, 1 Jan 2001 15:15:15 -0500": one space before the day, no zone names.
[[nodiscard]] std::string format_rfc5322_date(TimePoint at, Minutes utc_offset);
void append_rfc5322_date(std::string& out, TimePoint at, Minutes utc_offset);

// Liberal on input: optional day name, one or two digit day, any run of white space, optional
// seconds, obsolete zone names (GMT, UT, EST …), a trailing comment.
struct ZonedTime {
  TimePoint at;
  Minutes utc_offset;
};
[[nodiscard]] Expected<ZonedTime> parse_rfc5322_date(std::string_view text);

// "2026-11-21T16:54:11Z", "…11.985366+01:00". Fractions beyond microseconds are cut.
[[nodiscard]] std::string format_rfc3339(TimePoint at);  // always Z
[[nodiscard]] std::string format_rfc3339(LogTime at);    // Z, fraction only if not zero
struct ZonedLogTime {
  LogTime at;
  Minutes utc_offset;
};
[[nodiscard]] Expected<ZonedLogTime> parse_rfc3339(std::string_view text);

// "9d", "36h", "90s", "1h30m", "250ms": durations as the configuration writes them. Plain numbers
// are refused (a unit is needed); zero is allowed.
[[nodiscard]] Expected<Milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Milliseconds duration);

}  // namespace mtrk
