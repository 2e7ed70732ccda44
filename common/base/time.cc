#include "common/base/time.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mtrk {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct CivilTime {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

constexpr TimePoint at_start_of(int year) {
  return std::chrono::sys_days{std::chrono::year{year} / 1 / 1};
}

// Four-digit years only: a wilder instant (a damaged record, say) is moved to the nearest end.
CivilTime to_civil(TimePoint at, int first_year) {
  at = std::clamp(at, at_start_of(first_year), at_start_of(10000) - Seconds(1));
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto second_of_day = static_cast<int>((at - day).count());
  return {static_cast<int>(date.year()),     static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), second_of_day / 3600,
          second_of_day / 60 % 60,           second_of_day % 60};
}

// Second 60 (a leap second) is the same instant as the next minute's 0.
Expected<TimePoint> to_instant(const CivilTime& t) {
  const std::chrono::year_month_day date{std::chrono::year{t.year}, std::chrono::month{t.month},
                                         std::chrono::day{t.day}};
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60) {
    return fail(ErrorCode::out_of_range, "no such date or time of day");
  }
  return TimePoint(std::chrono::sys_days{date}) + Seconds(t.hour * 3600 + t.minute * 60 + t.second);
}

void put_decimal(std::string& out, int value, int width) {
  char digits[10];
  int length = 0;
  do {
    digits[length++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (int i = length; i < width; ++i) {
    out += '0';
  }
  while (length > 0) {
    out += digits[--length];
  }
}

void put_time_of_day(std::string& out, const CivilTime& t) {
  put_decimal(out, t.hour, 2);
  out += ':';
  put_decimal(out, t.minute, 2);
  out += ':';
  put_decimal(out, t.second, 2);
}

// Exactly `width` digits at text[at]; -1 if they are not there.
int digits_at(std::string_view text, std::size_t at, std::size_t width) {
  if (at + width > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (!is_digit(text[i])) {
      return -1;
    }
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Unexpected bad(std::string_view what, std::string_view text) {
  return fail(ErrorCode::syntax, std::string(what) + ": \"" + escape_for_people(text, 64) + '"');
}

// Walks an RFC 5322 §3.3 date with the white space and comments of §4.3 between its tokens.
class DateCursor {
 public:
  explicit DateCursor(std::string_view text) : rest_(text) { skip_cfws(); }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    skip_cfws();
    return true;
  }

  std::string_view take_word() { return take_while(is_alpha); }
  std::string_view take_digits() { return take_while(is_digit); }

 private:
  template <typename Predicate>
  std::string_view take_while(Predicate matches) {
    std::size_t length = 0;
    while (length < rest_.size() && matches(rest_[length])) {
      ++length;
    }
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_cfws();
    return token;
  }

  void skip_cfws() {
    std::size_t depth = 0;
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '(') {
        ++depth;
      } else if (depth > 0) {
        if (c == ')') {
          --depth;
        } else if (c == '\\') {
          ++i;
        }
      } else if (!is_wsp(c) && c != '\r' && c != '\n') {
        break;
      }
    }
    rest_.remove_prefix(std::min(i, rest_.size()));
  }

  std::string_view rest_;
};

// Two and three digit years: RFC 5322 §4.3.
std::optional<int> to_year(std::string_view digits) {
  const std::optional<int> value = parse_number<int>(digits);
  if (!value || digits.size() < 2 || digits.size() > 4) {
    return std::nullopt;
  }
  if (digits.size() == 2) {
    return *value + (*value < 50 ? 2000 : 1900);
  }
  return digits.size() == 3 ? *value + 1900 : *value;
}

std::optional<unsigned> to_month(std::string_view word) {
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (iequals(word, kMonths[i])) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<int> to_small_number(std::string_view digits) {
  return digits.size() > 2 ? std::nullopt : parse_number<int>(digits);
}

// RFC 5322 §4.3: a name not in this list, and every military letter, means "-0000".
Minutes offset_of_zone_name(std::string_view name) {
  struct Zone {
    std::string_view name;
    int hours;
  };
  static constexpr Zone kZones[] = {{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6},
                                    {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8}};
  for (const Zone& zone : kZones) {
    if (iequals(name, zone.name)) {
      return Minutes(zone.hours * 60);
    }
  }
  return Minutes(0);
}

std::optional<Minutes> take_rfc5322_zone(DateCursor& cursor) {
  if (const std::string_view name = cursor.take_word(); !name.empty()) {
    return offset_of_zone_name(name);
  }
  const bool east = cursor.take('+');
  if (!east && !cursor.take('-')) {
    return std::nullopt;
  }
  const std::string_view digits = cursor.take_digits();
  const int hours = digits_at(digits, 0, 2);
  const int minutes = digits_at(digits, 2, 2);
  if (digits.size() != 4 || minutes > 59) {
    return std::nullopt;
  }
  const Minutes offset(hours * 60 + minutes);
  return east ? offset : -offset;
}

// "[, 1 Jan 2001 15:15[:15]": everything before the zone; false on a syntax error.
bool take_rfc5322_date_time(DateCursor& cursor, CivilTime& t) {
  if (const std::string_view day_name = cursor.take_word(); !day_name.empty()) {
    const bool known = std::any_of(kDays.begin(), kDays.end(),
                                   [&](std::string_view day) { return iequals(day_name, day); });
    if (!known || !cursor.take(',')) {
      return false;
    }
  }
  const std::optional<int> day = to_small_number(cursor.take_digits());
  const std::optional<unsigned> month = to_month(cursor.take_word());
  const std::optional<int> year = to_year(cursor.take_digits());
  const std::optional<int> hour = to_small_number(cursor.take_digits());
  if (!day || !month || !year || !hour || !cursor.take(':')) {
    return false;
  }
  const std::optional<int> minute = to_small_number(cursor.take_digits());
  std::optional<int> second = 0;
  if (cursor.take(':')) {
    second = to_small_number(cursor.take_digits());
  }
  if (!minute || !second) {
    return false;
  }
  t = {*year, *month, static_cast<unsigned>(*day), *hour, *minute, *second};
  return true;
}

}  // namespace

std::string format_rfc5322_date(TimePoint at, Minutes utc_offset) {
  constexpr Minutes kLargest(99 * 60 + 59);
  utc_offset = std::clamp(utc_offset, -kLargest, kLargest);
  // Clamped once before the addition, so that it cannot overflow, and once in to_civil.
  at = std::clamp(at, at_start_of(1900), at_start_of(10000)) + utc_offset;
  const CivilTime t = to_civil(at, 1900);
  const std::chrono::weekday weekday{std::chrono::sys_days{
      std::chrono::year{t.year} / static_cast<int>(t.month) / static_cast<int>(t.day)}};
  std::string out;
  out.reserve(32);
  out += kDays[weekday.c_encoding()];
  out += ", ";
  put_decimal(out, static_cast<int>(t.day), 1);
  out += ' ';
  out += kMonths[t.month - 1];
  out += ' ';
  put_decimal(out, t.year, 4);
  out += ' ';
  put_time_of_day(out, t);
  out += utc_offset < Minutes(0) ? " -" : " +";
  const auto minutes = static_cast<int>(std::chrono::abs(utc_offset).count());
  put_decimal(out, minutes / 60, 2);
  put_decimal(out, minutes % 60, 2);
  return out;
}

Expected<ZonedTime> parse_rfc5322_date(std::string_view text) {
  DateCursor cursor(text);
  CivilTime civil;
  if (!take_rfc5322_date_time(cursor, civil)) {
    return bad("not an RFC 5322 date", text);
  }
  const std::optional<Minutes> offset = take_rfc5322_zone(cursor);
  if (!offset || !cursor.at_end()) {
    return bad("not an RFC 5322 date (zone)", text);
  }
  if (civil.year < 1900) {
    return fail(ErrorCode::out_of_range, "a year before 1900");
  }
  const Expected<TimePoint> local = to_instant(civil);
  if (!local) {
    return Unexpected(local.error());
  }
  return ZonedTime{*local - *offset, *offset};
}

std::string format_rfc3339(TimePoint at) {
  const CivilTime t = to_civil(at, 0);
  std::string out;
  out.reserve(32);
  put_decimal(out, t.year, 4);
  out += '-';
  put_decimal(out, static_cast<int>(t.month), 2);
  out += '-';
  put_decimal(out, static_cast<int>(t.day), 2);
  out += 'T';
  put_time_of_day(out, t);
  out += 'Z';
  return out;
}

std::string format_rfc3339(LogTime at) {
  const auto whole = std::chrono::floor<Seconds>(at);
  std::string out = format_rfc3339(whole);
  if (const auto fraction = static_cast<int>((at - whole).count()); fraction != 0) {
    out.back() = '.';
    put_decimal(out, fraction, 6);
    out += 'Z';
  }
  return out;
}

Expected<ZonedLogTime> parse_rfc3339(std::string_view text) {
  // 0123456789012345678
  // 2026-11-21T16:54:11[.fraction](Z|+01:00)
  const auto is = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  const int year = digits_at(text, 0, 4);
  const int month = digits_at(text, 5, 2);
  const int day = digits_at(text, 8, 2);
  const int hour = digits_at(text, 11, 2);
  const int minute = digits_at(text, 14, 2);
  const int second = digits_at(text, 17, 2);
  if ((year | month | day | hour | minute | second) < 0 || !is(4, '-') || !is(7, '-') ||
      !(is(10, 'T') || is(10, 't')) || !is(13, ':') || !is(16, ':')) {
    return bad("not an RFC 3339 time", text);
  }
  std::size_t at = 19;
  int microseconds = 0;
  if (is(at, '.')) {
    const std::size_t start = ++at;
    int weight = 100'000;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      microseconds += (text[at] - '0') * weight;
      weight /= 10;
    }
    if (at == start) {
      return bad("not an RFC 3339 time (fraction)", text);
    }
  }
  Minutes offset(0);
  if (is(at, '+') || is(at, '-')) {
    const int offset_hours = digits_at(text, at + 1, 2);
    const int offset_minutes = digits_at(text, at + 4, 2);
    if ((offset_hours | offset_minutes) < 0 || offset_hours > 23 || offset_minutes > 59 ||
        !is(at + 3, ':')) {
      return bad("not an RFC 3339 time (offset)", text);
    }
    offset = Minutes(offset_hours * 60 + offset_minutes);
    if (is(at, '-')) {
      offset = -offset;
    }
    at += 6;
  } else if (is(at, 'Z') || is(at, 'z')) {
    at += 1;
  } else {
    return bad("not an RFC 3339 time (offset)", text);
  }
  if (at != text.size()) {
    return bad("not an RFC 3339 time (text after it)", text);
  }
  const Expected<TimePoint> local = to_instant(
      {year, static_cast<unsigned>(month), static_cast<unsigned>(day), hour, minute, second});
  if (!local) {
    return Unexpected(local.error());
  }
  return ZonedLogTime{*local - offset + Microseconds(microseconds), offset};
}

}  // namespace mtrk
