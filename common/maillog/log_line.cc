#include "common/maillog/log_line.h"

#include "common/base/ascii.h"

#include <array>
#include <chrono>
#include <cstring>

namespace mtrk::maillog {
namespace {

// Two or four digits at a fixed place; -1 if they are not digits (or ' 7' where `pad` allows it).
int two_digits(const char* p) {
  return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}
int padded_day(const char* p) {
  return p[0] == ' ' && is_digit(p[1]) ? p[1] - '0' : two_digits(p);
}
int four_digits(const char* p) {
  const int high = two_digits(p);
  const int low = two_digits(p + 2);
  return high < 0 || low < 0 ? -1 : high * 100 + low;
}

constexpr std::uint32_t three(char a, char b, char c) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(a)) << 16 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(b)) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(c));
}

// Month number of "Jan" … "Dec", 0 if it is none of them.
unsigned month_number(const char* p) {
  switch (three(p[0], p[1], p[2])) {
    case three('J', 'a', 'n'):
      return 1;
    case three('F', 'e', 'b'):
      return 2;
    case three('M', 'a', 'r'):
      return 3;
    case three('A', 'p', 'r'):
      return 4;
    case three('M', 'a', 'y'):
      return 5;
    case three('J', 'u', 'n'):
      return 6;
    case three('J', 'u', 'l'):
      return 7;
    case three('A', 'u', 'g'):
      return 8;
    case three('S', 'e', 'p'):
      return 9;
    case three('O', 'c', 't'):
      return 10;
    case three('N', 'o', 'v'):
      return 11;
    case three('D', 'e', 'c'):
      return 12;
    default:
      return 0;
  }
}

// Seconds since midnight of "16:49:22", -1 if it is no time. A leap second counts as the 59th.
int time_of_day(const char* p) {
  const int hour = two_digits(p);
  const int minute = two_digits(p + 3);
  const int second = two_digits(p + 6);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
      p[2] != ':' || p[5] != ':') {
    return -1;
  }
  return hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
}

std::optional<std::chrono::sys_days> make_day(int year, unsigned month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

// "Nov 21 16:49:22 ": the latest year that does not put the line more than a day after the
// reference; nothing if that is 370 days or more before it (29 February of another year, say).
// `before` is the stamp of the line before, for an hour that came twice.
std::optional<LogTime> take_traditional_stamp(std::string_view& line,
                                              const StampContext& context,
                                              TimePoint before) {
  constexpr std::size_t kLength = 16;
  if (line.size() < kLength || line[3] != ' ' || line[6] != ' ' || line[15] != ' ') {
    return std::nullopt;
  }
  const char* p = line.data();
  const unsigned month = month_number(p);
  const int day = padded_day(p + 4);
  const int seconds = time_of_day(p + 7);
  if (month == 0 || day < 1 || seconds < 0) {
    return std::nullopt;
  }
  const auto latest = context.reference + std::chrono::days(1);
  const auto earliest = context.reference - std::chrono::days(370);
  const std::chrono::year_month_day last{
      // as the log's clock has it
      std::chrono::floor<std::chrono::days>(latest + context.zone.at(latest))};
  for (int year = static_cast<int>(last.year()); year >= static_cast<int>(last.year()) - 1;
       --year) {
    const auto date = make_day(year, month, day);
    const TimePoint at =
        date ? context.zone.from_wall(*date + Seconds(seconds), before) : TimePoint::max();
    if (at <= latest) {
      if (at <= earliest) {
        return std::nullopt;
      }
      line.remove_prefix(kLength);
      return at;
    }
  }
  return std::nullopt;
}

std::optional<LogTime> take_remembered_stamp(std::string_view& line,
                                             const StampContext& context,
                                             StampMemo& memo) {
  const std::size_t length = memo.text.size();
  if (line.size() >= length && std::memcmp(line.data(), memo.text.data(), length) == 0) {
    line.remove_prefix(length);
    return memo.at;
  }
  const char* const text = line.data();
  const TimePoint before =
      memo.text[0] == '\0' ? TimePoint::min() : std::chrono::floor<Seconds>(memo.at);
  const std::optional<LogTime> at = take_traditional_stamp(line, context, before);
  if (at) {
    std::memcpy(memo.text.data(), text, length);
    memo.at = *at;
  }
  return at;
}

// "+01:00", "+0100" or "Z" at the front of `text`.
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
  const int hours = two_digits(text.data() + 1);
  const int minutes = two_digits(text.data() + (colon ? 4 : 3));
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(colon ? 6 : 5);
  return Minutes(sign * (hours * 60 + minutes));
}

// "2026-11-21T16:54:11.985366+00:00 ". Digits beyond microseconds are cut.
std::optional<LogTime> take_rfc3339_stamp(std::string_view& line) {
  if (line.size() < 21 || line[4] != '-' || line[7] != '-' ||
      (line[10] != 'T' && line[10] != ' ')) {
    return std::nullopt;
  }
  const char* p = line.data();
  const int year = four_digits(p);
  const int month = two_digits(p + 5);
  const int day = two_digits(p + 8);
  const int seconds = time_of_day(p + 11);
  if (year < 0 || month < 1 || day < 1 || seconds < 0) {
    return std::nullopt;
  }
  const auto date = make_day(year, static_cast<unsigned>(month), day);
  if (!date) {
    return std::nullopt;
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
    return std::nullopt;
  }
  line = rest.substr(1);
  return LogTime(*date + Seconds(seconds) - *offset) + Microseconds(micros);
}

std::string_view take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

// Where a program's name ends.
constexpr std::array<bool, 256> make_tag_ends() {
  std::array<bool, 256> ends{};
  ends['['] = ends[':'] = ends[' '] = true;
  return ends;
}
constexpr std::array<bool, 256> kTagEnds = make_tag_ends();

// "postfix/smtp[1]: text" or "postfix/smtp: text". Anything else leaves the program empty: a line
// of the log, but of nobody we know ("last message repeated 3 times").
void take_tag(std::string_view rest, LogLine& line) {
  line.text = rest;
  const char* const begin = rest.data();
  const char* const end = begin + rest.size();
  const char* p = begin;
  while (p != end && !kTagEnds[static_cast<unsigned char>(*p)]) {
    ++p;
  }
  const std::string_view program(begin, static_cast<std::size_t>(p - begin));
  std::uint32_t pid = 0;
  if (p != end && *p == '[') {
    for (++p; p != end && is_digit(*p); ++p) {
      pid = pid * 10 + static_cast<std::uint32_t>(*p - '0');
    }
    if (p == end || *p != ']') {
      return;
    }
    ++p;
  }
  if (program.empty() || end - p < 2 || p[0] != ':' || p[1] != ' ') {
    return;
  }
  line.program = program;
  line.pid = pid;
  line.text = std::string_view(p + 2, static_cast<std::size_t>(end - p - 2));
}

// RFC 5424 §6.3: "-", or elements "[id name="value" …]" in which ", \ and ] are escaped.
bool skip_structured_data(std::string_view& rest) {
  if (!rest.empty() && rest[0] == '-') {
    rest.remove_prefix(1);
    return true;
  }
  std::size_t i = 0;
  while (i < rest.size() && rest[i] == '[') {
    bool quoted = false;
    for (++i; i < rest.size() && (quoted || rest[i] != ']'); ++i) {
      if (rest[i] == '\\' && quoted) {
        ++i;
      } else if (rest[i] == '"') {
        quoted = !quoted;
      }
    }
    if (i >= rest.size()) {
      return false;
    }
    ++i;
  }
  rest.remove_prefix(i);
  return i > 0;
}

// "1 STAMP HOST APP PROCID MSGID SD [BOM]MSG", RFC 5424 §6.
std::optional<LogLine> split_rfc5424(std::string_view rest) {
  rest.remove_prefix(2);
  const std::optional<LogTime> at = take_rfc3339_stamp(rest);
  if (!at) {
    return std::nullopt;
  }
  LogLine line{};
  line.at = *at;
  line.host = take_word(rest);
  line.program = take_word(rest);
  line.pid = parse_number<std::uint32_t>(take_word(rest)).value_or(0);
  take_word(rest);  // MSGID
  if (!skip_structured_data(rest)) {
    return std::nullopt;
  }
  const std::size_t text = rest.find_first_not_of(' ');  // Postfix' text comes with a second space
  rest.remove_prefix(text == std::string_view::npos ? rest.size() : text);
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") {
    rest.remove_prefix(3);
  }
  line.text = rest;
  return line;
}

// "<22>" of a log that keeps the priority.
bool skip_priority(std::string_view& line) {
  std::size_t i = 1;
  while (i < line.size() && i <= 3 && is_digit(line[i])) {
    ++i;
  }
  if (i == 1 || i >= line.size() || line[i] != '>') {
    return false;
  }
  line.remove_prefix(i + 1);
  return true;
}

}  // namespace

std::optional<LogLine> split_log_line(std::string_view line,
                                      const StampContext& context,
                                      StampMemo* memo) {
  if (!line.empty() && line[0] == '<') {
    if (!skip_priority(line)) {
      return std::nullopt;
    }
    if (line.size() > 2 && line[0] == '1' && line[1] == ' ') {
      return split_rfc5424(line);
    }
  }
  if (line.empty()) {
    return std::nullopt;
  }
  const std::optional<LogTime> at = is_digit(line[0]) ? take_rfc3339_stamp(line)
                                    : memo == nullptr
                                        ? take_traditional_stamp(line, context, TimePoint::min())
                                        : take_remembered_stamp(line, context, *memo);
  if (!at) {
    return std::nullopt;
  }
  LogLine result{};
  result.at = *at;
  result.host = take_word(line);
  take_tag(line, result);
  return result;
}

}  // namespace mtrk::maillog
