#include "milter/ctl/page.h"

#include "common/base/ascii.h"
#include "common/base/local_offset.h"
#include "common/base/utf8.h"

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <clocale>
#include <cstdlib>
#include <iterator>

namespace mtrk {
namespace {

constexpr std::size_t kColumns = 80;

// Returns the SGR parameters.
std::string_view parameters_of(Paint paint) {
  switch (paint) {
    case Paint::bold:
      return "1";
    case Paint::good:
      return "32";
    case Paint::waiting:
      return "33";
    case Paint::bad:
      return "31";
    case Paint::faint:
      return "2";
    case Paint::none:
      break;
  }
  return "";
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? std::string_view() : value;
}

Minutes offset_of(TimePoint at, const PageStyle& style) {
  return style.utc ? Minutes(0) : local_offsets(at).at(at);
}

// Returns the wall clock time as "2026-11-21T10:00:02Z".
std::string wall_clock(TimePoint at, const PageStyle& style) {
  return format_rfc3339(at + offset_of(at, style));
}

std::string format_offset(Minutes offset) {
  const auto minutes = static_cast<unsigned>(std::abs(offset.count()));
  const auto two = [](unsigned value) {
    return std::string{static_cast<char>('0' + value / 10 % 10),
                       static_cast<char>('0' + value % 10)};
  };
  return (offset.count() < 0 ? "-" : "+") + two(minutes / 60) + two(minutes % 60);
}

// Converts the text for a screen without UTF-8. It may contain no controls except hard blanks.
std::string ascii_only(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ascii = static_cast<unsigned char>(text[i]) < 0x80;
    out += ascii ? std::string(1, text[i]) : escape_for_people(text.substr(i, 1));
  }
  return out;
}

}  // namespace

std::string with_hard_blanks(std::string text) {
  std::replace(text.begin(), text.end(), ' ', kHardBlank);
  return text;
}

PageStyle style_of_standard_output() {
  PageStyle style;
  if (::isatty(STDOUT_FILENO) != 1) {
    return style;
  }
  std::setlocale(LC_CTYPE, "");  // NOLINT(concurrency-mt-unsafe): one thread
  style.utf8 = std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  const std::string_view terminal = variable("TERM");
  style.colours = variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb";
  style.symbols = style.utf8;
  return style;
}

std::string format_for_people(TimePoint at, const PageStyle& style) {
  const std::string wall = wall_clock(at, style);
  return with_hard_blanks(wall.substr(0, 10) + " " + wall.substr(11, 8) + " " +
                          format_offset(offset_of(at, style)));
}

std::string format_day(TimePoint at, const PageStyle& style) {
  static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                            "Thu", "Fri", "Sat"};
  const Minutes offset = offset_of(at, style);
  const std::chrono::weekday day(std::chrono::floor<std::chrono::days>(at + offset));
  return std::string(kDays[day.c_encoding()]) + " " + wall_clock(at, style).substr(0, 10) + " " +
         format_offset(offset);
}

std::string format_time_of_day(TimePoint at, const PageStyle& style) {
  return wall_clock(at, style).substr(11, 8);
}

void Page::add(std::size_t indent,
               std::string_view lead,
               Paint paint,
               std::string_view text,
               std::size_t hang) {
  std::string ascii_lead;
  std::string ascii_text;
  if (!style_.utf8) {
    ascii_lead = ascii_only(lead);
    ascii_text = ascii_only(text);
    lead = ascii_lead;
    text = ascii_text;
  }
  text_.append(indent, ' ');
  column_ = indent;
  const bool painted = style_.colours && paint != Paint::none && !lead.empty();
  if (painted) {
    text_.append("\x1b[").append(parameters_of(paint)).append("m");
  }
  put_words(lead, hang);
  if (painted) {
    text_ += "\x1b[0m";
  }
  put_words(text, hang);
  while (!text_.empty() && text_.back() == ' ') {
    text_.pop_back();
  }
  text_ += '\n';
  column_ = 0;
}

void Page::put_words(std::string_view text, std::size_t hang) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    put(text.substr(0, end), hang);
    text.remove_prefix(end);
    const std::size_t blanks = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t shown = std::min(blanks, kColumns - column_);
    text_.append(shown, ' ');
    column_ += shown;
    text.remove_prefix(blanks);
  }
}

void Page::break_line(std::size_t hang) {
  while (!text_.empty() && text_.back() == ' ') {
    text_.pop_back();
  }
  text_ += '\n';
  text_.append(hang, ' ');
  column_ = hang;
}

// A word that the rest of the line has no room for goes to the next one, and is broken there if
// need be.
void Page::put(std::string_view word, std::size_t hang) {
  const std::size_t columns = display_columns(word);
  if (column_ + columns > kColumns && column_ > hang) {
    break_line(hang);
  }
  if (column_ + columns <= kColumns) {
    std::replace_copy(word.begin(), word.end(), std::back_inserter(text_), kHardBlank, ' ');
    column_ += columns;
    return;
  }
  while (!word.empty()) {
    const Utf8Character next = decode_utf8(word);
    const std::size_t octets = std::max<std::size_t>(next.octets, 1);
    const std::size_t width = next.octets == 0 ? 1 : columns_of(next.code);
    if (column_ + width > kColumns) {
      break_line(hang);
    }
    text_ += word[0] == kHardBlank ? " " : word.substr(0, octets);
    column_ += width;
    word.remove_prefix(octets);
  }
}

}  // namespace mtrk
