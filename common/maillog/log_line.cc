#include "common/maillog/log_line.h"

#include "common/base/ascii.h"
#include "common/base/octets.h"
#include "common/maillog/foreign_header.h"
#include "common/maillog/log_tag.h"
#include "common/maillog/record_end.h"
#include "common/maillog/rfc5424.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace mtrk::maillog {
namespace {

// Two digits at a fixed place; -1 if they are not digits (or ' 7' where `pad` allows it).
int two_digits(const char* p) {
  return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}
int padded_day(const char* p) {
  return p[0] == ' ' && is_digit(p[1]) ? p[1] - '0' : two_digits(p);
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

constexpr std::size_t kTraditional = 16;  // octets of "Nov 21 16:49:22 "

std::optional<LogTime> traditional_stamp(std::string_view line,
                                         const StampContext& context,
                                         TimePoint before) {
  if (line.size() < kTraditional || line[3] != ' ' || line[6] != ' ' || line[15] != ' ') {
    return std::nullopt;
  }
  const char* p = line.data();
  const unsigned month = month_number(p);
  const int day = padded_day(p + 4);
  const int seconds = time_of_day(p + 7);
  if (month == 0 || day < 1 || seconds < 0) {
    return std::nullopt;
  }
  return undated_time(month, day, seconds, context, before);
}

bool same(const char* a, const char* b) {  // kTraditional octets
  return octets::load(a) == octets::load(b) && octets::load(a + 8) == octets::load(b + 8);
}

bool take_traditional_stamp(std::string_view& line,
                            const StampContext& context,
                            StampMemo* memo,
                            LogTime& at) {
  static_assert(sizeof(StampMemo::text) == kTraditional);
  if (memo != nullptr && line.size() >= kTraditional && same(line.data(), memo->text.data())) {
    at = memo->at;
  } else {
    const bool first = memo == nullptr || memo->text[0] == '\0';
    const std::optional<LogTime> read = traditional_stamp(
        line, context, first ? TimePoint::min() : std::chrono::floor<Seconds>(memo->at));
    if (!read) {
      return false;
    }
    at = *read;
    if (memo != nullptr) {
      std::memcpy(memo->text.data(), line.data(), kTraditional);
      memo->at = at;
    }
  }
  line.remove_prefix(kTraditional);
  return true;
}

[[gnu::always_inline]] inline std::string_view take_word(std::string_view& text) {
  const std::size_t space = octets::find_near(text, ' ');
  const std::string_view word(text.data(), space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return word;
}

// Anything but a tag leaves the program empty: a line of the log, but of nobody we know ("last
// message repeated 3 times").
void split_tag(std::string_view text, LogLine& line) {
  LogTag tag;
  if (take_tag(text, tag)) {
    line.program = tag.program;
    line.pid = tag.pid;
  }
  line.text = text;
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

bool split_known(std::string_view text,
                 const StampContext& context,
                 StampMemo* memo,
                 LogLine& line) {
  if (!text.empty() && text[0] == '<') {
    if (!skip_priority(text)) {
      return false;
    }
    if (text.size() > 2 && text[0] == '1' && text[1] == ' ') {
      return split_rfc5424(text.substr(2), line);
    }
  }
  if (text.empty()) {
    return false;
  }
  line.dated = is_digit(text[0]);
  if (!(line.dated ? take_rfc3339_stamp(text, line.at)
                   : take_traditional_stamp(text, context, memo, line.at))) {
    return false;
  }
  line.host = take_word(text);
  split_tag(text, line);
  return true;
}

}  // namespace

std::optional<LogLine> split_log_line(std::string_view line,
                                      const StampContext& context,
                                      StampMemo* memo) {
  line = record_of(line);
  std::optional<LogLine> result(
      std::in_place);  // filled where it is: copies cost more than parsing
  const bool known = split_known(line, context, memo, *result);
  if (known && !result->program.empty() && !may_be_foreign(*result)) {
    return result;
  }
  LogLine foreign;
  if (split_foreign_line(line, context, memo, foreign) && !(known && foreign.program.empty())) {
    *result = foreign;
  } else if (!known) {
    result.reset();
  }
  return result;
}

}  // namespace mtrk::maillog
