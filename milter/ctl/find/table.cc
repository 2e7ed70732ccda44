#include "milter/ctl/find/table.h"

#include "common/base/ascii.h"
#include "common/base/utf8.h"

#include <algorithm>
#include <chrono>

namespace mtrk::find {
namespace {

constexpr std::size_t kTime = 8;  // the width of "16:54:11"
constexpr std::size_t kLeastAddress = 12;
constexpr std::size_t kWords = 400;  // octets of what was said

// Returns the address as it is shown: escaped, "<>" for the null sender, "-" for none.
std::string shown_sender(const Row& row) {
  if (!row.from) {
    return "-";
  }
  return row.from->empty() ? "<>" : escape_for_display(*row.from, 512);
}
std::string shown_recipient(const Row& row) {
  return row.to.empty() ? "-" : escape_for_display(row.to, 512);
}

std::string_view mark_of(const Row& row, const PageStyle& style) {
  if (!style.symbols) {
    return "";
  }
  switch (row.paint) {
    case Paint::good:
      return "\u2713 ";
    case Paint::bad:
      return "\u2717 ";
    default:
      return row.action == "delayed" ? "\u2026 " : "? ";
  }
}

std::string fate_of(const Row& row, const PageStyle& style) {
  std::string fate(mark_of(row, style));
  fate += row.action;
  if (row.status) {
    fate += " " + format_enhanced_status(*row.status);
  }
  return fate;
}

// Returns the first `columns` columns of harmless UTF-8.
std::string front(std::string_view text, std::size_t columns) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character next = decode_utf8(text);
    const std::size_t octets = std::max<std::size_t>(next.octets, 1);
    const std::size_t width = next.octets == 0 ? 1 : columns_of(next.code);
    if (width > columns) {
      break;
    }
    columns -= width;
    out += text.substr(0, octets);
    text.remove_prefix(octets);
  }
  return out;
}

// Returns its last `columns` columns.
std::string back(std::string_view text, std::size_t columns) {
  while (display_columns(text) > columns) {
    const Utf8Character next = decode_utf8(text);
    text.remove_prefix(std::max<std::size_t>(next.octets, 1));
  }
  return std::string(text);
}

std::string ascii(std::string text, const PageStyle& style) {
  if (style.utf8) {
    return text;
  }
  std::string out;
  for (const char c : text) {
    out += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c)
                                                : escape_for_people(std::string_view(&c, 1));
  }
  return out;
}

// Fits the text to exactly `columns` columns. The end is kept, because the domain of an address
// says most.
std::string fitted(const std::string& text, std::size_t columns, const PageStyle& style) {
  const std::size_t its = display_columns(text);
  if (its <= columns) {
    return text + std::string(columns - its, ' ');
  }
  const std::string_view dots = style.utf8 ? "\u2026" : "~";
  const std::size_t head = (columns - 1) / 2;
  std::string cut = front(text, head) + std::string(dots) + back(text, columns - 1 - head);
  const std::size_t now = display_columns(cut);
  return cut + std::string(columns - std::min(columns, now), ' ');
}

class Table {
 public:
  Table(std::span<const Row> rows, const PageStyle& style, std::size_t columns) : style_(style) {
    std::size_t fate = 0;
    std::size_t id = 1;
    std::size_t from = 1;
    std::size_t to = 1;
    for (const Row& row : rows) {
      fate = std::max(fate, display_columns(fate_of(row, style)));
      id = std::max(id, row.queue_id.size());
      from = std::max(from, display_columns(ascii(shown_sender(row), style)));
      to = std::max(to, display_columns(ascii(shown_recipient(row), style)));
      late_ = late_ || row.begun_before;
    }
    fate_ = fate;
    const std::size_t others = kTime + (late_ ? 1 : 0) + fate + id + 4;
    const std::size_t room =
        std::max(columns, others + 2 * kLeastAddress) - others;  // the columns for both addresses
    from_ = std::min(from, std::max(room / 2, room - std::min(to, room)));
    to_ = std::min(to, room - from_);
  }

  void add(const Row& row) {
    const TimePoint at = std::chrono::floor<Seconds>(row.arrival);
    if (std::string day = format_day(at, style_); day != day_) {
      day_ = std::move(day);
      paint(day_, Paint::faint);
      text_ += '\n';
    }
    text_ += format_time_of_day(at, style_);
    if (late_) {
      text_ += row.begun_before ? '<' : ' ';
    }
    text_ += ' ' + fitted(ascii(shown_sender(row), style_), from_, style_);
    text_ += ' ' + fitted(ascii(shown_recipient(row), style_), to_, style_) + ' ';
    const std::string fate = fate_of(row, style_);
    paint(fate, row.paint);
    text_.append(fate_ - display_columns(fate), ' ');
    text_ += ' ' + (row.queue_id.empty() ? std::string("-") : row.queue_id) + '\n';
    add_more(row);
  }
  std::string take() && { return std::move(text_); }

 private:
  void add_more(const Row& row) {
    std::string more;
    const auto add = [&more](const std::string& text) {
      more += (more.empty() ? "" : "; ") + text;
    };
    if (row.possible) {
      add("no line names this recipient, the log names not all of them");
    }
    if (!row.target.empty()) {
      add("sent to " + escape_for_display(row.target, 512));
    }
    if (!row.next_hop.empty()) {
      add("by " + escape_for_display(row.next_hop, 512));
    }
    if (!row.words.empty()) {
      add(escape_for_display(row.words, kWords));
    }
    if (!more.empty()) {
      PageStyle plain = style_;
      plain.colours = false;
      Page page(plain);
      const std::size_t indent = kTime + (late_ ? 2 : 1);
      page.add(indent, {}, Paint::none, more, indent + 2);
      text_ += page.text();
    }
  }
  void paint(std::string_view text, Paint paint) {
    Page page(style_);
    page.add(0, text, paint, {}, 0);
    std::string painted = page.text();
    painted.pop_back();  // removes the line feed
    text_ += painted;
  }

  PageStyle style_;
  bool late_ = false;
  std::size_t fate_ = 0;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
  std::string day_;
  std::string text_;
};

}  // namespace

std::string format_table(std::span<const Row> rows, const PageStyle& style, std::size_t columns) {
  Table table(rows, style, columns);
  for (const Row& row : rows) {
    table.add(row);
  }
  return std::move(table).take();
}

}  // namespace mtrk::find
