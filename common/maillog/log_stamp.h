#pragma once

#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <optional>
#include <string_view>

// The dates and times at the front of log lines. Pure; linear in what they take; never allocate.
namespace mtrk::maillog {

// A stamp without a year is in the one that puts the line into (reference − 370 d, reference +
// 1 d]; one without a zone is in `zone`. `reference` is the file's modification time or the clock,
// or what the lines around tell (log_years.h).
struct StampContext {
  TimePoint reference;
  LocalOffsets zone;
};

struct LogStamp {
  LogTime at;
  bool dated = false;  // it tells its year
};

// When a clock of the log showed that day and that many seconds after midnight; nothing if there
// is no such day in the year that the context means (29 February, say). `before` is the stamp of
// the line before, for an hour that came twice.
[[nodiscard]] std::optional<TimePoint> undated_time(
    unsigned month, int day, int seconds, const StampContext& context, TimePoint before);

// "2026-11-21T16:54:11.985366+00:00 ", the blank included: what syslog daemons and Postfix write.
// Digits beyond microseconds are cut.
[[nodiscard]] bool take_rfc3339_stamp(std::string_view& line, LogTime& at);

// Any of the forms that are known, and the blanks or the bracket behind it; nothing taken if it is
// none:
//   2026-11-21T16:54:11.985366, with "-", "/" or "." in the date, "T" or a blank, "." or ",",
//     a zone (Z, +01, +0100, +01:00, a name) or none, the name of a day before or not
//   Nov 21 16:54:11, months in many languages, the day before or behind, with a year anywhere or
//     none, a dot or comma, a fraction, a zone or none; 11月 21 16:54:11
//   21.11.2026 16:54:11, 21/Nov/2026:16:54:11 +0100
//   1795280051.985366: seconds since 1970
[[nodiscard]] std::optional<LogStamp> take_stamp(std::string_view& line,
                                                 const StampContext& context,
                                                 TimePoint before);

}  // namespace mtrk::maillog
