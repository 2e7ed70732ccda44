#include "milter/ctl/find/period.h"

#include "common/base/ascii.h"

#include <chrono>
#include <string>

namespace mtrk::find {
namespace {

using std::chrono::days;

// A Stretch lasts from `begin` until before `end`. For an instant both are the same.
struct Stretch {
  LogTime begin, end;
};

Unexpected bad_period(std::string_view text) {
  return fail(ErrorCode::syntax, "not a time: \"" + escape_for_people(text, 64) +
                                     "\" (write it like 2026-11-21, \"2026-11-21 16:54\", "
                                     "2026-11-21T16:54:11+01:00, or 2d for two days ago)");
}

// Takes so many digits from the front and returns their number.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  const std::optional<unsigned> value = parse_number<unsigned>(text.substr(0, count));
  if (!value || text.size() < count) {
    return std::nullopt;
  }
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool take_char(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// WallTime is a day and a time of day, or parts of them, as a wall clock shows them.
struct WallTime {
  TimePoint begin;
  Seconds length;
};

std::optional<WallTime> take_day(std::string_view& text) {
  const std::optional<int> year = take_digits(text, 4);
  if (!year || *year < 1970 || !take_char(text, "-")) {
    return std::nullopt;
  }
  const std::optional<int> month = take_digits(text, 2);
  if (!month || !take_char(text, "-")) {
    return std::nullopt;
  }
  const std::optional<int> day = take_digits(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return WallTime{std::chrono::sys_days(date), days(1)};
}

std::optional<WallTime> parse_wall_time(std::string_view text) {
  std::optional<WallTime> wall = take_day(text);
  if (!wall || text.empty()) {
    return wall;
  }
  if (!take_char(text, " T")) {
    return std::nullopt;
  }
  const std::optional<int> hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ":")) {
    return std::nullopt;
  }
  const std::optional<int> minute = take_digits(text, 2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  wall->begin += std::chrono::hours(*hour) + Minutes(*minute);
  wall->length = Seconds(60);
  if (text.empty()) {
    return wall;
  }
  const std::optional<int> second = take_char(text, ":") ? take_digits(text, 2) : std::nullopt;
  if (!second || *second > 59 || !text.empty()) {
    return std::nullopt;
  }
  wall->begin += Seconds(*second);
  wall->length = Seconds(1);
  return wall;
}

Stretch on_the_wall(const WallTime& wall, const LocalOffsets& zone) {
  return {zone.from_wall(wall.begin), zone.from_wall(wall.begin + wall.length)};
}

Expected<Stretch> parse_stretch(std::string_view written, TimePoint now, const LocalOffsets& zone) {
  const std::string_view text = trim(written);
  const TimePoint today = std::chrono::floor<days>(now + zone.at(now));
  if (text == "now") {
    return Stretch{now, now};
  }
  if (text == "today") {
    return on_the_wall({today, days(1)}, zone);
  }
  if (text == "yesterday") {
    return on_the_wall({today - days(1), days(1)}, zone);
  }
  if (const Expected<Milliseconds> age = parse_duration(text)) {
    const LogTime at = now - *age;
    return Stretch{at, at};
  }
  if (const std::optional<WallTime> wall = parse_wall_time(text)) {
    return on_the_wall(*wall, zone);
  }
  if (const Expected<ZonedLogTime> at = parse_rfc3339(text)) {
    return Stretch{at->at, at->at};
  }
  return bad_period(written);
}

}  // namespace

Expected<LogTime> parse_since(std::string_view text, TimePoint now, const LocalOffsets& zone) {
  return parse_stretch(text, now, zone).map([](const Stretch& stretch) { return stretch.begin; });
}

Expected<LogTime> parse_until(std::string_view text, TimePoint now, const LocalOffsets& zone) {
  return parse_stretch(text, now, zone).map([](const Stretch& stretch) {
    // If an instant ends a period, it is in that period.
    return stretch.begin == stretch.end ? stretch.end + Microseconds(1) : stretch.end;
  });
}

}  // namespace mtrk::find
