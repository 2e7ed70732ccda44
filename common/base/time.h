#pragma once

#include "common/base/expected.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// This header defines the types of instants and their textual forms: dates of RFC 5322 §3.3 (with
// numeric zones only, as RFC 3464 asks), times of RFC 3339, and durations. It is pure: nothing here
// reads a clock or a time zone, and `now` is always a parameter.
namespace mtrk {

using Seconds = std::chrono::seconds;
using Minutes = std::chrono::minutes;
using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;
using TimePoint = std::chrono::sys_time<Seconds>;     // the resolution of records and reports
using LogTime = std::chrono::sys_time<Microseconds>;  // the resolution of log stamps

// Format a date like "Mon, 1 Jan 2001 15:15:15 -0500", with one space before the day and no zone
// name.
[[nodiscard]] std::string format_rfc5322_date(TimePoint at, Minutes utc_offset);
void append_rfc5322_date(std::string& out, TimePoint at, Minutes utc_offset);

// parse_rfc5322_date() is liberal: it accepts a missing day name, a day of one or two digits, any
// run of white space, missing seconds, obsolete zone names (GMT, UT, EST …) and a trailing comment.
struct ZonedTime {
  TimePoint at;
  Minutes utc_offset;
};
[[nodiscard]] Expected<ZonedTime> parse_rfc5322_date(std::string_view text);

// Times look like "2026-11-21T16:54:11Z" or "2026-11-21T16:54:11.985366+01:00". parse_rfc3339()
// drops the digits of a fraction beyond microseconds.
[[nodiscard]] std::string format_rfc3339(TimePoint at);  // always Z
// The result always ends in Z, and has a fraction only if that is not zero.
[[nodiscard]] std::string format_rfc3339(LogTime at);
struct ZonedLogTime {
  LogTime at;
  Minutes utc_offset;
};
[[nodiscard]] Expected<ZonedLogTime> parse_rfc3339(std::string_view text);

// Durations are written as in the configuration: "9d", "36h", "90s", "1h30m", "250ms". A plain
// number is refused, because it has no unit; zero is allowed with one.
[[nodiscard]] Expected<Milliseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Milliseconds duration);

}  // namespace mtrk
