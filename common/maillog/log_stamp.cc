#include "common/maillog/log_stamp.h"

#include "common/base/ascii.h"
#include "common/maillog/month_names.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kLongestName = 24;  // octets of the name of a month or day

std::optional<std::chrono::sys_days> day_of(int year, unsigned month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

struct ZoneName {
  std::string_view name;
  int minutes;
};
// These names mean one offset wherever mail logs are written. For all others the zone of the
// machine is used.
constexpr std::array<ZoneName, 27> kZoneNames = {{
    {"UTC", 0},    {"GMT", 0},    {"UT", 0},     {"Z", 0},      {"WET", 0},    {"WEST", 60},
    {"BST", 60},   {"CET", 60},   {"MET", 60},   {"CEST", 120}, {"MEST", 120}, {"EET", 120},
    {"EEST", 180}, {"MSK", 180},  {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300},
    {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"JST", 540},  {"KST", 540},
    {"NZST", 720}, {"NZDT", 780}, {"AEST", 600},
}};

// A StampScan takes the parts of a stamp off the front of a text. A part that does not fit takes
// nothing.
class StampScan {
 public:
  explicit StampScan(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] char peek(std::size_t at = 0) const { return at < rest_.size() ? rest_[at] : '\0'; }
  bool take(char c) {
    const bool there = !rest_.empty() && rest_[0] == c;
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }
  bool take_any(std::string_view characters) {
    const bool there = !rest_.empty() && characters.find(rest_[0]) != std::string_view::npos;
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }
  bool take(std::string_view text) {
    const bool there = rest_.starts_with(text);
    rest_.remove_prefix(there ? text.size() : 0);
    return there;
  }
  bool take_blanks() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_wsp(rest_[0])) {
      rest_.remove_prefix(1);
    }
    return rest_.size() != before;
  }
  // Takes all digits, if their number is in this range.
  std::optional<int> take_number(std::size_t fewest, std::size_t most) {
    std::size_t digits = 0;
    int value = 0;
    while (digits <= most && is_digit(peek(digits))) {
      value = digits < most ? value * 10 + (peek(digits) - '0') : value;
      ++digits;
    }
    if (digits < fewest || digits > most) {
      return std::nullopt;
    }
    rest_.remove_prefix(digits);
    return value;
  }
  // Takes a word of letters of any alphabet.
  std::string_view take_letters() {
    std::size_t length = 0;
    while (length < rest_.size() && length <= kLongestName &&
           (is_alpha(rest_[length]) || static_cast<unsigned char>(rest_[length]) >= 0x80)) {
      ++length;
    }
    const std::string_view letters = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return letters;
  }
  // Takes ".985366", cut to microseconds.
  Microseconds take_fraction() {
    std::int64_t micros = 0;
    if (is_digit(peek(1)) && take_any(".,")) {
      for (std::int64_t scale = 100000; is_digit(peek()); scale /= 10) {
        micros += (peek() - '0') * scale;
        rest_.remove_prefix(1);
      }
    }
    return Microseconds(micros);
  }

 private:
  std::string_view rest_;
};

struct WallClock {
  int year = 0;  // 0 if there is none
  unsigned month = 0;
  int day = 0;
  int seconds = 0;
  Microseconds fraction{0};
  std::optional<Minutes> offset;
};

bool take_month(StampScan& scan, WallClock& clock) {
  StampScan ahead = scan;
  clock.month = month_of(ahead.take_letters());
  if (clock.month == 0) {
    return false;
  }
  ahead.take('.');
  scan = ahead;
  return true;
}

// Takes "11月" or "11월".
bool take_numbered_month(StampScan& scan, WallClock& clock) {
  StampScan ahead = scan;
  const std::optional<int> month = ahead.take_number(1, 2);
  if (!month || !(ahead.take("月") || ahead.take("월"))) {
    return false;
  }
  clock.month = static_cast<unsigned>(*month);
  scan = ahead;
  return true;
}

bool take_year(StampScan& scan, WallClock& clock) {
  StampScan ahead = scan;
  const std::optional<int> year = ahead.take_number(4, 4);
  constexpr int kFirst = 1970;
  constexpr int kLast = 2999;
  if (clock.year != 0 || !year || *year < kFirst || *year > kLast) {
    return false;
  }
  clock.year = *year;
  scan = ahead;
  return true;
}

bool take_day(StampScan& scan, WallClock& clock) {
  const std::optional<int> day = scan.take_number(1, 2);
  clock.day = day.value_or(0);
  return day.has_value();
}

// Takes "Nov 21", "Nov 21 2026" or "11月 21日".
bool take_month_first(StampScan& scan, WallClock& clock) {
  if (!take_month(scan, clock) && !take_numbered_month(scan, clock)) {
    return false;
  }
  scan.take_any("-/");
  scan.take_blanks();
  if (!take_day(scan, clock)) {
    return false;
  }
  static_cast<void>(scan.take("日") || scan.take("일") || scan.take('.'));
  scan.take(',');
  return true;
}

// Takes "21 Nov", "21. Nov", "21/Nov" or "21-Nov".
bool take_day_first(StampScan& scan, WallClock& clock) {
  if (!take_day(scan, clock)) {
    return false;
  }
  scan.take_any("./-");
  scan.take_blanks();
  const bool month = take_month(scan, clock);
  scan.take_any("/-,");
  return month;
}

// Takes "2026-11-21".
bool take_year_first(StampScan& scan, WallClock& clock) {
  if (!take_year(scan, clock)) {
    return false;
  }
  const char separator = scan.peek();
  if (!scan.take_any("-/.")) {
    return false;
  }
  const std::optional<int> month = scan.take_number(1, 2);
  clock.month = static_cast<unsigned>(month.value_or(0));
  return month && scan.take(separator) && take_day(scan, clock);
}

// Takes "21.11.2026".
bool take_dotted(StampScan& scan, WallClock& clock) {
  if (!take_day(scan, clock) || !scan.take('.')) {
    return false;
  }
  const std::optional<int> month = scan.take_number(1, 2);
  clock.month = static_cast<unsigned>(month.value_or(0));
  return month && scan.take('.') && take_year(scan, clock);
}

template <typename Take>
bool tried(Take take, StampScan& scan, WallClock& clock) {
  StampScan ahead = scan;
  WallClock read = clock;
  if (!take(ahead, read)) {
    return false;
  }
  scan = ahead;
  clock = read;
  return true;
}

bool take_year_and_blanks(StampScan& scan, WallClock& clock) {
  return take_year(scan, clock) && scan.take_blanks();
}

bool take_date_alone(StampScan& scan, WallClock& clock) {
  if (tried(take_year_first, scan, clock) || tried(take_dotted, scan, clock)) {
    return true;
  }
  tried(take_year_and_blanks, scan, clock);
  if (!tried(take_month_first, scan, clock) && !tried(take_day_first, scan, clock)) {
    return false;
  }
  StampScan ahead = scan;
  ahead.take_blanks();
  if (take_year(ahead, clock)) {
    scan = ahead;
  }
  return true;
}

// Takes the name of a day: "Sat 2026-11-21", "Sa., 21. Nov".
bool take_day_name(StampScan& scan) {
  StampScan ahead = scan;
  if (ahead.take_letters().empty()) {
    return false;
  }
  ahead.take_any(".,");
  ahead.take(',');
  if (!ahead.take_blanks()) {
    return false;
  }
  scan = ahead;
  return true;
}

bool take_date(StampScan& scan, WallClock& clock) {
  if (take_date_alone(scan, clock)) {
    return true;
  }
  return take_day_name(scan) && take_date_alone(scan, clock);
}

// Takes "16:54:11.985366". A leap second counts as the 59th.
bool take_time(StampScan& scan, WallClock& clock) {
  const std::optional<int> hour = scan.take_number(1, 2);
  if (!hour || *hour > 23 || !scan.take(':')) {
    return false;
  }
  const std::optional<int> minute = scan.take_number(2, 2);
  if (!minute || *minute > 59 || !scan.take(':')) {
    return false;
  }
  const std::optional<int> second = scan.take_number(2, 2);
  if (!second || *second > 60) {
    return false;
  }
  clock.seconds = *hour * 3600 + *minute * 60 + (*second == 60 ? 59 : *second);
  clock.fraction = scan.take_fraction();
  return true;
}

// Takes "Z", "+01", "+0100" or "+01:00".
std::optional<Minutes> take_numeric_zone(StampScan& scan) {
  StampScan ahead = scan;
  if (ahead.take_any("Zz")) {
    scan = ahead;
    return Minutes(0);
  }
  const bool west = ahead.peek() == '-';
  if (!ahead.take_any("+-") || !is_digit(ahead.peek()) || !is_digit(ahead.peek(1))) {
    return std::nullopt;
  }
  const int hours = (ahead.peek() - '0') * 10 + (ahead.peek(1) - '0');
  ahead = StampScan(ahead.rest().substr(2));
  ahead.take(':');
  const int minutes = ahead.take_number(2, 2).value_or(0);
  if (hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  scan = ahead;
  return Minutes((west ? -1 : 1) * (hours * 60 + minutes));
}

std::optional<Minutes> take_named_zone(StampScan& scan) {
  StampScan ahead = scan;
  const std::string_view name = ahead.take_letters();
  for (const ZoneName& known : kZoneNames) {
    if (known.name == name && (is_wsp(ahead.peek()) || ahead.peek() == ']')) {
      scan = ahead;
      return Minutes(known.minutes);
    }
  }
  return std::nullopt;
}

void take_zone(StampScan& scan, WallClock& clock) {
  clock.offset = take_numeric_zone(scan);
  if (clock.offset) {
    return;
  }
  StampScan ahead = scan;
  if (!ahead.take_blanks()) {
    return;
  }
  clock.offset = is_alpha(ahead.peek()) ? take_named_zone(ahead) : take_numeric_zone(ahead);
  if (clock.offset && (is_wsp(ahead.peek()) || ahead.peek() == ']')) {
    scan = ahead;
  } else {
    clock.offset.reset();
  }
}

std::optional<LogStamp> resolve(const WallClock& clock,
                                const StampContext& context,
                                TimePoint before) {
  if (clock.month < 1 || clock.month > 12 || clock.day < 1) {
    return std::nullopt;
  }
  if (clock.year == 0) {
    const StampContext own{context.reference,
                           clock.offset ? LocalOffsets(*clock.offset) : context.zone};
    const std::optional<TimePoint> at =
        undated_time(clock.month, clock.day, clock.seconds, own, before);
    return at ? std::optional(LogStamp{LogTime(*at) + clock.fraction, false}) : std::nullopt;
  }
  const auto date = day_of(clock.year, clock.month, clock.day);
  if (!date) {
    return std::nullopt;
  }
  const TimePoint wall = *date + Seconds(clock.seconds);
  const TimePoint at = clock.offset ? wall - *clock.offset : context.zone.from_wall(wall, before);
  return LogStamp{LogTime(at) + clock.fraction, true};
}

// Takes "1795280051.985366" or "1795280051".
std::optional<LogStamp> take_epoch(StampScan& scan) {
  constexpr std::size_t kDigits = 10;  // in the years 2001 to 2286
  std::size_t digits = 0;
  std::int64_t seconds = 0;
  while (digits <= kDigits && is_digit(scan.peek(digits))) {
    seconds = seconds * 10 + (scan.peek(digits) - '0');
    ++digits;
  }
  if (digits != kDigits) {
    return std::nullopt;
  }
  scan = StampScan(scan.rest().substr(kDigits));
  return LogStamp{LogTime(Seconds(seconds)) + scan.take_fraction(), true};
}

std::optional<LogStamp> take_calendar(StampScan& scan,
                                      const StampContext& context,
                                      TimePoint before) {
  WallClock clock;
  if (!take_date(scan, clock)) {
    return std::nullopt;
  }
  if (!scan.take_any("Tt_:") && !scan.take_blanks()) {
    return std::nullopt;
  }
  scan.take_blanks();
  if (!take_time(scan, clock)) {
    return std::nullopt;
  }
  take_zone(scan, clock);
  StampScan ahead = scan;
  if (ahead.take_blanks() && take_year(ahead, clock) && is_wsp(ahead.peek())) {
    scan = ahead;
  }
  return resolve(clock, context, before);
}

int two_digits_at(const char* p) {
  return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

// Takes "+01:00", "+0100" or "Z" off the front of `text`.
std::optional<Minutes> take_offset(std::string_view& text) {
  if (!text.empty() && (text[0] == 'Z' || text[0] == 'z')) {
    text.remove_prefix(1);
    return Minutes(0);
  }
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const bool colon = text[3] == ':';
  if (colon && text.size() < 6) {
    return std::nullopt;
  }
  const int hours = two_digits_at(text.data() + 1);
  const int minutes = two_digits_at(text.data() + (colon ? 4 : 3));
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(colon ? 6 : 5);
  return Minutes(sign * (hours * 60 + minutes));
}

}  // namespace

std::optional<TimePoint> undated_time(
    unsigned month, int day, int seconds, const StampContext& context, TimePoint before) {
  const auto latest = context.reference + std::chrono::days(1);
  const auto earliest = context.reference - std::chrono::days(370);
  const std::chrono::year_month_day last{
      // This is the date as the clock of the log shows it.
      std::chrono::floor<std::chrono::days>(latest + context.zone.at(latest))};
  for (int year = static_cast<int>(last.year()); year >= static_cast<int>(last.year()) - 1;
       --year) {
    const auto date = day_of(year, month, day);
    const TimePoint at =
        date ? context.zone.from_wall(*date + Seconds(seconds), before) : TimePoint::max();
    if (at <= latest) {
      if (at <= earliest) {
        return std::nullopt;
      }
      return at;
    }
  }
  return std::nullopt;
}

bool take_rfc3339_stamp(std::string_view& line, LogTime& at) {
  if (line.size() < 21 || line[4] != '-' || line[7] != '-' ||
      (line[10] != 'T' && line[10] != ' ')) {
    return false;
  }
  const char* p = line.data();
  const int century = two_digits_at(p);
  const int year = two_digits_at(p + 2);
  const int month = two_digits_at(p + 5);
  const int day = two_digits_at(p + 8);
  const int hour = two_digits_at(p + 11);
  const int minute = two_digits_at(p + 14);
  const int second = two_digits_at(p + 17);
  if (century < 0 || year < 0 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60 || p[13] != ':' || p[16] != ':') {
    return false;
  }
  const auto date = day_of(century * 100 + year, static_cast<unsigned>(month), day);
  if (!date) {
    return false;
  }
  std::string_view rest = line.substr(19);
  int micros = 0;
  if (rest[0] == '.' || rest[0] == ',') {
    rest.remove_prefix(1);
    for (int scale = 100000; !rest.empty() && is_digit(rest[0]); scale /= 10) {
      micros += (rest[0] - '0') * scale;
      rest.remove_prefix(1);
    }
  }
  const std::optional<Minutes> offset = take_offset(rest);
  if (!offset || rest.empty() || rest[0] != ' ') {
    return false;
  }
  line = rest.substr(1);
  const int seconds = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
  at = LogTime(*date + Seconds(seconds) - *offset) + Microseconds(micros);
  return true;
}

std::optional<LogStamp> take_stamp(std::string_view& line,
                                   const StampContext& context,
                                   TimePoint before) {
  StampScan scan(line);
  const bool bracket = scan.take('[');
  std::optional<LogStamp> stamp = take_epoch(scan);
  if (!stamp) {
    stamp = take_calendar(scan, context, before);
  }
  if (!stamp || (bracket && !scan.take(']'))) {
    return std::nullopt;
  }
  if (!scan.take_blanks()) {
    if (!scan.take_any(":,;")) {
      return std::nullopt;
    }
    scan.take_blanks();
  }
  line = scan.rest();
  return stamp;
}

}  // namespace mtrk::maillog
