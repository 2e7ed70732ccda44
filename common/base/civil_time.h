#pragma once

#include "common/base/time.h"

#include <array>
#include <cstddef>

// These helpers are shared by the two formats of time (rfc5322_date.cc, rfc3339.cc). They are
// private to common/base.
namespace mtrk {

struct CivilTime {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

[[nodiscard]] constexpr TimePoint at_start_of(int year) {
  return std::chrono::sys_days{std::chrono::year{year} / 1 / 1};
}

// Both functions keep to four-digit years from `first_year` on: an instant outside of that range
// (from a damaged record, for example) is moved to the nearer end of it.
[[nodiscard]] TimePoint to_four_digit_years(TimePoint at, int first_year);
[[nodiscard]] CivilTime to_civil(TimePoint at, int first_year);

// Returns nothing if there is no such day or time of day. Second 60 (a leap second) is the same
// instant as second 0 of the next minute.
[[nodiscard]] std::optional<TimePoint> to_instant(const CivilTime& civil);

[[nodiscard]] Unexpected bad_time(std::string_view what, std::string_view text);
[[nodiscard]] Unexpected no_such_time();

// StampText holds the text of one time stamp in a fixed buffer. Every answer contains several
// stamps, so writing one allocates nothing.
class StampText {
 public:
  void put(char c) { text_[size_++] = c; }
  void put(std::string_view text) {
    for (const char c : text) {
      put(c);
    }
  }
  void put_two_digits(int value) {
    put(static_cast<char>('0' + value / 10));
    put(static_cast<char>('0' + value % 10));
  }
  void put_year(int year) {
    put_two_digits(year / 100);
    put_two_digits(year % 100);
  }
  void put_time_of_day(const CivilTime& t) {
    put_two_digits(t.hour);
    put(':');
    put_two_digits(t.minute);
    put(':');
    put_two_digits(t.second);
  }
  void put_microseconds(int value) {
    put_two_digits(value / 10'000);
    put_two_digits(value / 100 % 100);
    put_two_digits(value % 100);
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }
  [[nodiscard]] std::string str() const { return std::string(view()); }

 private:
  std::array<char, 40> text_;  // the longest stamp has 31 octets
  std::size_t size_ = 0;
};

}  // namespace mtrk
