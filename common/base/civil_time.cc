#include "common/base/civil_time.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk {

TimePoint to_four_digit_years(TimePoint at, int first_year) {
  return std::clamp(at, at_start_of(first_year), at_start_of(10000) - Seconds(1));
}

CivilTime to_civil(TimePoint at, int first_year) {
  at = to_four_digit_years(at, first_year);
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto second_of_day = static_cast<int>((at - day).count());
  return {static_cast<int>(date.year()),     static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), second_of_day / 3600,
          second_of_day / 60 % 60,           second_of_day % 60};
}

std::optional<TimePoint> to_instant(const CivilTime& t) {
  const std::chrono::year_month_day date{std::chrono::year{t.year}, std::chrono::month{t.month},
                                         std::chrono::day{t.day}};
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60) {
    return std::nullopt;
  }
  return TimePoint(std::chrono::sys_days{date}) + Seconds(t.hour * 3600 + t.minute * 60 + t.second);
}

Unexpected bad_time(std::string_view what, std::string_view text) {
  return fail(ErrorCode::syntax, std::string(what) + ": \"" + escape_for_people(text, 64) + '"');
}

Unexpected no_such_time() {
  return fail(ErrorCode::out_of_range, "no such date or time of day");
}

}  // namespace mtrk
