#include "common/base/ascii.h"
#include "common/base/civil_time.h"

#include <algorithm>

namespace mtrk {

namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// A DateCursor steps through a date of RFC 5322 §3.3 and skips the white space and comments of §4.3
// between its tokens.
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

// RFC 5322 §4.3 defines the meaning of years with two and three digits.
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
  const std::optional<int> value = digits.size() == 4 ? parse_number<int>(digits) : std::nullopt;
  if (!value || *value % 100 > 59) {
    return std::nullopt;
  }
  const Minutes offset(*value / 100 * 60 + *value % 100);
  return east ? offset : -offset;
}

// Takes everything before the zone, as in "[Mon,] 1 Jan 2001 15:15[:15]". Returns false on a syntax
// error.
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

StampText make_rfc5322_date(TimePoint at, Minutes utc_offset) {
  constexpr Minutes kLargest(99 * 60 + 59);
  utc_offset = std::clamp(utc_offset, -kLargest, kLargest);
  // The range is limited here, so that the addition cannot overflow, and again in to_civil().
  at = to_four_digit_years(at, 1900) + utc_offset;
  const CivilTime t = to_civil(at, 1900);
  const std::chrono::weekday weekday{std::chrono::sys_days{
      std::chrono::year{t.year} / static_cast<int>(t.month) / static_cast<int>(t.day)}};
  StampText out;
  out.put(kDays[weekday.c_encoding()]);
  out.put(", ");
  if (t.day >= 10) {
    out.put(static_cast<char>('0' + t.day / 10));
  }
  out.put(static_cast<char>('0' + t.day % 10));
  out.put(' ');
  out.put(kMonths[t.month - 1]);
  out.put(' ');
  out.put_year(t.year);
  out.put(' ');
  out.put_time_of_day(t);
  out.put(utc_offset < Minutes(0) ? " -" : " +");
  const auto minutes = static_cast<int>(std::chrono::abs(utc_offset).count());
  out.put_two_digits(minutes / 60);
  out.put_two_digits(minutes % 60);
  return out;
}

}  // namespace

std::string format_rfc5322_date(TimePoint at, Minutes utc_offset) {
  return make_rfc5322_date(at, utc_offset).str();
}

void append_rfc5322_date(std::string& out, TimePoint at, Minutes utc_offset) {
  out.append(make_rfc5322_date(at, utc_offset).view());
}

Expected<ZonedTime> parse_rfc5322_date(std::string_view text) {
  DateCursor cursor(text);
  CivilTime civil;
  if (!take_rfc5322_date_time(cursor, civil)) {
    return bad_time("not an RFC 5322 date", text);
  }
  const std::optional<Minutes> offset = take_rfc5322_zone(cursor);
  if (!offset || !cursor.at_end()) {
    return bad_time("not an RFC 5322 date (zone)", text);
  }
  if (civil.year < 1900) {
    return fail(ErrorCode::out_of_range, "a year before 1900");
  }
  const std::optional<TimePoint> local = to_instant(civil);
  if (!local) {
    return no_such_time();
  }
  return ZonedTime{*local - *offset, *offset};
}

}  // namespace mtrk
