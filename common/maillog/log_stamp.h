#pragma once

#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <optional>
#include <string_view>

// These functions read the dates and times at the front of log lines. They are pure, linear in what
// they take, and never allocate.
namespace mtrk::maillog {

// A StampContext completes stamps. A stamp without a year belongs to the year that puts its line
// into (reference − 370 d, reference + 1 d]; a stamp without a zone is in `zone`. `reference` is
// the modification time of the file, the current time, or what the lines around it show
// (log_years.h).
struct StampContext {
  TimePoint reference;
  LocalOffsets zone;
};

struct LogStamp {
  LogTime at;
  bool dated = false;  // the stamp has a year
};

// Returns the time at which a clock of the log showed that day and that many seconds after
// midnight. Returns nothing if the year that the context yields has no such day (such as 29
// February). `before` is the stamp of the preceding line, needed for an hour that comes twice.
[[nodiscard]] std::optional<TimePoint> undated_time(
    unsigned month, int day, int seconds, const StampContext& context, TimePoint before);

// Takes "2026-11-21T16:54:11.985366+00:00 " with its blank, as syslog daemons and Postfix write it.
// Digits beyond microseconds are cut off.
[[nodiscard]] bool take_rfc3339_stamp(std::string_view& line, LogTime& at);

// Takes a stamp of any known form, and the blanks or the bracket after it. Returns nothing, and
// takes nothing, if `line` begins with none of them:
//   2026-11-21T16:54:11.985366, with "-", "/" or "." in the date, "T" or a blank, "." or ",",
//     a zone (Z, +01, +0100, +01:00, a name) or none, the name of a day before or not
//   Nov 21 16:54:11, months in many languages, the day before or after, with a year anywhere or
//     none, a dot or comma, a fraction, a zone or none; 11月 21 16:54:11
//   21.11.2026 16:54:11, 21/Nov/2026:16:54:11 +0100
//   1795280051.985366: seconds since 1970
[[nodiscard]] std::optional<LogStamp> take_stamp(std::string_view& line,
                                                 const StampContext& context,
                                                 TimePoint before);

}  // namespace mtrk::maillog
