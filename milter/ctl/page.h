#pragma once

#include "common/base/time.h"

#include <cstddef>
#include <string>
#include <string_view>

// A Page is text for people in lines of at most 80 columns. Lines are broken between words where
// the words fit.
namespace mtrk {

enum class Paint { none, bold, good, waiting, bad, faint };

struct PageStyle {
  bool utf8 = true;  // if false, ASCII only and the rest as \xHH
  bool colours = false;
  bool symbols = false;  // a mark before each outcome
  bool utc = false;      // shows times in UTC, not in the zone of this machine
};
// Returns the style that suits standard output. Colours and symbols are for terminals only, and
// there are no colours if NO_COLOR forbids them. Everything is UTF-8 except on a terminal of
// another character set.
[[nodiscard]] PageStyle style_of_standard_output();

// Stands for a blank at which no line is broken. Log text cannot contain it once it is escaped.
inline constexpr char kHardBlank = '\x01';
[[nodiscard]] std::string with_hard_blanks(std::string text);

// Returns a time such as "2026-11-21 10:00:02 +0100", with hard blanks.
[[nodiscard]] std::string format_for_people(TimePoint at, const PageStyle& style);
// These return the parts of that time: "Sat 2026-11-21 +0100" and "10:00:02".
[[nodiscard]] std::string format_day(TimePoint at, const PageStyle& style);
[[nodiscard]] std::string format_time_of_day(TimePoint at, const PageStyle& style);

class Page {
 public:
  explicit Page(const PageStyle& style) : style_(style) {}

  // Adds a paragraph: `lead`, painted, at column `indent`, and then `text`. Further lines begin at
  // column `hang`. Both texts must be harmless UTF-8 (escape_for_display()). Only a word longer
  // than a line is broken.
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
