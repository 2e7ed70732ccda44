#pragma once

#include "common/base/expected.h"
#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <optional>
#include <string_view>

// A Period is the time span of `mtrkctl find`, as people write it: --since T and --until T. Pure.
namespace mtrk::find {

// A message is in the period if it arrived at or after `since`, and before `until`.
struct Period {
  std::optional<LogTime> since;
  std::optional<LogTime> until;

  [[nodiscard]] bool has(LogTime at) const {
    return (!since || at >= *since) && (!until || at < *until);
  }
};

// T is one of
//
//   2026-11-21T16:54:11+01:00    RFC 3339
//   2026-11-21, 2026-11-21 16:54, 2026-11-21 16:54:11    a local time in `zone` ("T" for the blank)
//   today, yesterday, now        the day in `zone`; the instant
//   2d, 36h, 1h30m               so long before `now`
//
// A value that is longer than an instant means its beginning for --since and its end for --until.
// So "--since 2026-11-21 --until 2026-11-21" is that day, and "--until 2026-11-21 16:54" includes
// that minute.
[[nodiscard]] Expected<LogTime> parse_since(std::string_view text,
                                            TimePoint now,
                                            const LocalOffsets& zone);
[[nodiscard]] Expected<LogTime> parse_until(std::string_view text,
                                            TimePoint now,
                                            const LocalOffsets& zone);

}  // namespace mtrk::find
