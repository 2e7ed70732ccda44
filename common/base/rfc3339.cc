#include "common/base/ascii.h"
#include "common/base/civil_time.h"

namespace mtrk {

namespace {

// Returns the number in the two octets at text[at], which must exist. Sets `digits` to false if
// they are not digits.
int two_digits(std::string_view text, std::size_t at, bool& digits) {
  const int tens = text[at] - '0';
  const int ones = text[at + 1] - '0';
  digits = digits && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  return tens * 10 + ones;
}

// Takes an optional fraction (".985366…" in RFC 3339) and drops digits beyond microseconds.
bool take_fraction(std::string_view& rest, int& microseconds) {
  if (!rest.starts_with('.')) {
    return true;
  }
  std::size_t at = 1;
  for (; at < rest.size() && is_digit(rest[at]); ++at) {
    if (at <= 6) {
      microseconds = microseconds * 10 + (rest[at] - '0');
    }
  }
  for (std::size_t i = at; i <= 6; ++i) {
    microseconds *= 10;
  }
  rest.remove_prefix(at);
  return at > 1;
}

// Takes "Z" or an offset like "+01:00".
bool take_rfc3339_offset(std::string_view& rest, Minutes& offset) {
  if (!rest.empty() && to_lower(rest[0]) == 'z') {
    rest.remove_prefix(1);
    return true;
  }
  if (rest.size() < 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') {
    return false;
  }
  bool digits = true;
  const int hours = two_digits(rest, 1, digits);
  const int minutes = two_digits(rest, 4, digits);
  offset = Minutes(rest[0] == '+' ? hours * 60 + minutes : -(hours * 60 + minutes));
  rest.remove_prefix(6);
  return digits && hours <= 23 && minutes <= 59;
}

}  // namespace

std::string format_rfc3339(TimePoint at) {
  // The range is limited here, because the finer clock does not reach as far.
  return format_rfc3339(LogTime(to_four_digit_years(at, 0)));
}

std::string format_rfc3339(LogTime at) {
  const auto whole = std::chrono::floor<Seconds>(at);
  const CivilTime t = to_civil(whole, 0);
  StampText out;
  out.put_year(t.year);
  out.put('-');
  out.put_two_digits(static_cast<int>(t.month));
  out.put('-');
  out.put_two_digits(static_cast<int>(t.day));
  out.put('T');
  out.put_time_of_day(t);
  if (const auto fraction = static_cast<int>((at - whole).count()); fraction != 0) {
    out.put('.');
    out.put_microseconds(fraction);
  }
  out.put('Z');
  return out.str();
}

Expected<ZonedLogTime> parse_rfc3339(std::string_view text) {
  // 0123456789012345678
  // 2026-11-21T16:54:11[.fraction](Z|+01:00)
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || to_lower(text[10]) != 't' ||
      text[13] != ':' || text[16] != ':') {
    return bad_time("not an RFC 3339 time", text);
  }
  bool digits = true;
  const CivilTime civil = {two_digits(text, 0, digits) * 100 + two_digits(text, 2, digits),
                           static_cast<unsigned>(two_digits(text, 5, digits)),
                           static_cast<unsigned>(two_digits(text, 8, digits)),
                           two_digits(text, 11, digits),
                           two_digits(text, 14, digits),
                           two_digits(text, 17, digits)};
  std::string_view rest = text.substr(19);
  int microseconds = 0;
  Minutes offset(0);
  if (!digits || !take_fraction(rest, microseconds) || !take_rfc3339_offset(rest, offset) ||
      !rest.empty()) {
    return bad_time("not an RFC 3339 time", text);
  }
  const std::optional<TimePoint> local = to_instant(civil);
  if (!local) {
    return no_such_time();
  }
  return ZonedLogTime{*local - offset + Microseconds(microseconds), offset};
}

}  // namespace mtrk
