#include "common/maillog/log_line.h"

#include "common/base/ascii.h"
#include "common/base/octets.h"
#include "common/maillog/foreign_header.h"
#include "common/maillog/line_ends.h"
#include "common/maillog/rfc5424.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace mtrk::maillog {
namespace {

// Returns two digits at a fixed place, or -1 if they are not digits (or ' 7' where `pad` allows
// it).
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

// Returns the number of the month "Jan" … "Dec", or 0 if it is none of them.
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

// Returns the seconds since midnight of "16:49:22", or -1 if it is no time. A leap second counts as
// the 59th.
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

bool same(const char* a, const char* b) {  // compares kTraditional octets
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

// Returns the length of the program's name at the front of `text`.
std::size_t program_length(std::string_view text) {
  std::size_t i = 0;
  for (; i + octets::kWord <= text.size(); i += octets::kWord) {
    const std::uint64_t word = octets::load(text.data() + i);
    const std::uint64_t ends =
        octets::equal_to(word, '[') | octets::equal_to(word, ':') | octets::equal_to(word, ' ');
    if (ends != 0) {
      return i + octets::before_first(ends);
    }
  }
  while (i < text.size() && text[i] != '[' && text[i] != ':' && text[i] != ' ') {
    ++i;
  }
  return i;
}

// Takes all digits at the front of `text` and returns their value modulo 2³².
std::uint32_t take_pid(std::string_view& text) {
  std::uint32_t pid = 0;
  if (text.size() >= octets::kWord) {
    std::uint64_t word = octets::load(text.data());
    const std::size_t digits =
        octets::before_first(~octets::between(word, '0', '9') & octets::kHigh);
    if (digits > 0 && digits < octets::kWord) {
      // Leading zeros replace what follows the digits; then two, four and eight digits are combined
      // into one number.
      word <<= 8 * (octets::kWord - digits);
      word = (word & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
      word = (word & 0x00FF00FF00FF00FF) * 6553601 >> 16;
      word = (word & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
      text.remove_prefix(digits);
      return static_cast<std::uint32_t>(word);
    }
  }
  while (!text.empty() && is_digit(text[0])) {
    pid = pid * 10 + static_cast<std::uint32_t>(text[0] - '0');
    text.remove_prefix(1);
  }
  return pid;
}

// Takes "postfix/smtp[1]: text" or "postfix/smtp: text". Anything else leaves the program empty: it
// is a line of the log, but of no known program ("last message repeated 3 times").
void take_tag(std::string_view rest, LogLine& line) {
  line.text = rest;
  const std::string_view program(rest.data(), program_length(rest));
  rest.remove_prefix(program.size());
  std::uint32_t pid = 0;
  if (!rest.empty() && rest[0] == '[') {
    rest.remove_prefix(1);
    pid = take_pid(rest);
    if (rest.empty() || rest[0] != ']') {
      return;
    }
    rest.remove_prefix(1);
  }
  if (program.empty() || rest.size() < 2 || rest[0] != ':' || rest[1] != ' ') {
    return;
  }
  rest.remove_prefix(2);
  line.program = program;
  line.pid = pid;
  line.text = rest;
}

// Skips "<22>" of a log that keeps the priority.
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
  take_tag(text, line);
  return true;
}

// This is a function of its own, so that the fast path does not carry it along.
[[gnu::noinline]] void try_foreign(std::string_view text,
                                   const StampContext& context,
                                   StampMemo* memo,
                                   bool known,
                                   std::optional<LogLine>& result) {
  LogLine foreign;
  if (split_foreign_line(text, context, memo, foreign) && !(known && foreign.program.empty())) {
    result = foreign;
  } else if (!known) {
    result.reset();
  }
}

}  // namespace

std::optional<LogLine> split_log_line(std::string_view line,
                                      const StampContext& context,
                                      StampMemo* memo) {
  line = record_of(line);
  std::optional<LogLine> result(
      std::in_place);  // it is filled in place, because copies cost more than parsing
  const bool known = split_known(line, context, memo, *result);
  if (!known || result->program.empty() || may_be_foreign(*result)) {
    try_foreign(line, context, memo, known, result);
  }
  return result;
}

}  // namespace mtrk::maillog
