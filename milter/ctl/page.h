#pragma once

#include "common/base/time.h"

#include <cstddef>
#include <string>
#include <string_view>

// Text for people in lines of at most 80 columns, each a whole number of words where they fit.
namespace mtrk {

enum class Paint { none, bold, good, waiting, bad, faint };

struct PageStyle {
  bool utf8 = true;  // or ASCII only, the rest as \xHH
  bool colours = false;
  bool symbols = false;  // a mark before each outcome
  bool utc = false;      // times in UTC, not in the zone of this machine
};
// Of what standard output is: colours and symbols on a terminal only, and no colours where
// NO_COLOR says so; UTF-8 everywhere but on a terminal of another code.
[[nodiscard]] PageStyle style_of_standard_output();

// Stands for a blank at which no line is broken. What comes from a log cannot hold it, once
// escaped.
inline constexpr char kHardBlank = '\x01';
[[nodiscard]] std::string with_hard_blanks(std::string text);

// "2026-11-21 10:00:02 +0100", with hard blanks.
[[nodiscard]] std::string format_for_people(TimePoint at, const PageStyle& style);
// The same in parts: "Sat 2026-11-21 +0100", "10:00:02".
[[nodiscard]] std::string format_day(TimePoint at, const PageStyle& style);
[[nodiscard]] std::string format_time_of_day(TimePoint at, const PageStyle& style);

class Page {
 public:
  explicit Page(const PageStyle& style) : style_(style) {}

  // A paragraph: `lead`, painted, at column `indent`, and `text` behind it; further lines begin at
  // `hang`. Both are harmless UTF-8 (escape_for_display()). A word that is longer than a line is
  // broken, no other.
  void add(std::size_t indent,
           std::string_view lead,
           Paint paint,
           std::string_view text,
           std::size_t hang);
  void add(std::size_t indent, std::string_view text) {
    add(indent, {}, Paint::none, text, indent + 2);
  }
  void add_blank_line() { text_ += '\n'; }

  [[nodiscard]] const PageStyle& style() const { return style_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void put_words(std::string_view text, std::size_t hang);
  void put(std::string_view word, std::size_t hang);
  void break_line(std::size_t hang);

  PageStyle style_;
  std::string text_;
  std::size_t column_ = 0;
};

}  // namespace mtrk
