#include "common/maillog/foreign_header.h"

#include "common/base/ascii.h"
#include "common/maillog/json_frame.h"
#include "common/maillog/line_ends.h"
#include "common/maillog/rfc5424.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mtrk::maillog {
namespace {

constexpr int kDeepest = 4;                 // levels of frames and headers within each other
constexpr int kMostHeaders = 24;            // that are tried in one line
constexpr int kMostWords = 4;               // between a stamp and the tag
constexpr std::size_t kLongestFrame = 255;  // octets
constexpr std::size_t kLongestTag = 64;

std::string_view word_of(std::string_view text) {
  const std::size_t end = text.find_first_of(" \t");
  return text.substr(0, end);
}
std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return text.substr(std::min(begin, text.size()));
}
std::string_view after_word(std::string_view text) {
  return without_blanks(text.substr(word_of(text).size()));
}

bool is_one_of(std::string_view word, const auto& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Returns whether the word is the facility and priority of the message: "mail.info", "mail:info",
// "local0.notice", "2.6", with or without angle brackets, with or without a colon after it.
bool is_facility_priority(std::string_view word) {
  constexpr std::array<std::string_view, 24> kFacilities = {
      "kern",  "user",     "mail",     "daemon",  "auth",   "syslog", "lpr",    "news",
      "uucp",  "cron",     "ftp",      "ntp",     "local0", "local1", "local2", "local3",
      "audit", "authpriv", "security", "console", "local4", "local5", "local6", "local7"};
  constexpr std::array<std::string_view, 11> kPriorities = {"emerg", "alert",   "crit", "err",
                                                            "error", "warning", "warn", "notice",
                                                            "info",  "debug",   "panic"};
  if (word.starts_with('<') && word.ends_with('>')) {
    word = word.substr(1, word.size() - 2);
  } else if (word.ends_with(':')) {
    word.remove_suffix(1);
  }
  const std::size_t dot = word.find_first_of(".:");
  if (dot == std::string_view::npos) {
    return false;
  }
  const std::string_view facility = word.substr(0, dot);
  const std::string_view priority = word.substr(dot + 1);
  const bool numbers = facility.size() <= 2 && parse_number<unsigned>(facility) &&
                       priority.size() == 1 && is_digit(priority[0]);
  return numbers || (is_one_of(facility, kFacilities) && is_one_of(priority, kPriorities));
}

// Returns whether a container engine logs under this tag as itself, with a whole line of a
// container as the text.
bool is_container_tag(std::string_view program) {
  return program.starts_with("docker") || program.starts_with("container") ||
         program.starts_with("conmon") || program.starts_with("compose");
}

bool is_solaris_id(std::string_view text) {
  return text.starts_with("[ID ");
}

// Returns the text without "[ID 801593 mail.info] " at its front.
std::string_view without_solaris_id(std::string_view text) {
  if (!is_solaris_id(text)) {
    return text;
  }
  const std::size_t end = text.substr(0, kLongestFrame).find(']');
  const std::string_view id = text.substr(0, end);
  const std::size_t level = id.rfind(' ');
  const bool is_id = end != std::string_view::npos && is_facility_priority(id.substr(level + 1));
  return is_id ? without_blanks(text.substr(end + 1)) : text;
}

bool is_tag_character(char c) {
  return is_alnum(c) || std::string_view("/._@+-").find(c) != std::string_view::npos;
}

// Takes "postfix/smtp[14]:" or "postfix/smtp:", and then a blank or the end.
bool take_loose_tag(std::string_view& text, LogLine& line) {
  std::size_t length = 0;
  while (length < text.size() && length <= kLongestTag && is_tag_character(text[length])) {
    ++length;
  }
  std::string_view rest = text.substr(length);
  std::uint32_t pid = 0;
  if (length > 0 && rest.starts_with('[')) {
    const std::size_t end = rest.substr(0, kLongestTag).find(']');
    const auto number =
        parse_number<std::uint32_t>(rest.substr(1, end == std::string_view::npos ? 0 : end - 1));
    if (!number) {
      return false;
    }
    pid = *number;
    rest.remove_prefix(end + 1);
  }
  if (length == 0 || length > kLongestTag || !rest.starts_with(':') ||
      (rest.size() > 1 && !is_wsp(rest[1]))) {
    return false;
  }
  const std::string_view program = text.substr(0, length);
  if (pid == 0 && is_facility_priority(program)) {
    return false;
  }
  line.program = program;
  line.pid = pid;
  text = rest.substr(std::min<std::size_t>(2, rest.size()));
  return true;
}

// Takes the columns of macOS' `log show` after its stamp: thread, type, activity, process, time to
// live. Takes nothing if it returns false.
bool take_macos_columns(std::string_view& text, std::uint32_t& pid) {
  std::string_view rest = text;
  if (!rest.starts_with("0x")) {
    return false;
  }
  rest = after_word(after_word(rest));
  if (!rest.starts_with("0x")) {
    return false;
  }
  rest = after_word(rest);
  const auto number = parse_number<std::uint32_t>(word_of(rest));
  rest = after_word(rest);
  if (!number || !parse_number<std::uint32_t>(word_of(rest))) {
    return false;
  }
  pid = *number;
  text = after_word(rest);
  return true;
}

// Returns the text without "(libsystem_info.dylib) [com.apple.x:y] " at its front, which macOS also
// writes.
std::string_view without_macos_library(std::string_view text) {
  if (text.starts_with('(') && word_of(text).ends_with(')')) {
    text = after_word(text);
    if (text.starts_with('[') && word_of(text).ends_with(']')) {
      text = after_word(text);
    }
  }
  return text;
}

enum class Found {
  nothing,
  tag,   // a tag after the words
  line,  // a whole line with a header of its own
};

class ForeignReader {
 public:
  explicit ForeignReader(StampMemo* memo) : memo_(memo) {}

  // Reads a whole line, in any frame.
  bool read(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    text = cut_before_record(text);
    return depth <= kDeepest && !text.empty() &&
           (read_unframed(text, context, depth, out) || read_frame(text, context, depth, out));
  }

 private:
  bool read_unframed(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    if (text.starts_with('<')) {
      return read_priority(text, context, depth, out);
    }
    if (text.starts_with('{')) {
      return read_json(text, context, depth, out);
    }
    return read_rfc5424(text, context, depth, out) || read_header(text, context, depth, out);
  }

  bool read_priority(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    const std::size_t end = text.substr(0, kLongestFrame).find('>');
    if (end == std::string_view::npos) {
      return false;
    }
    const std::string_view priority = text.substr(1, end - 1);
    const bool is_number = priority.size() <= 3 && parse_number<unsigned>(priority);
    return (is_number || is_facility_priority(priority)) &&
           read(text.substr(end + 1), context, depth + 1, out);
  }

  // Reads "1 2026-11-21T10:00:00Z mx postfix 14 - - text".
  bool read_rfc5424(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    if (!text.starts_with("1 ") || !split_rfc5424(text.substr(2), out)) {
      return false;
    }
    if (is_container_tag(out.program)) {
      read_inner(out.text, {std::chrono::floor<Seconds>(out.at), context.zone}, depth, out);
    }
    return true;
  }

  bool read_json(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    if (memo_ == nullptr || decoding_) {
      return false;
    }
    decoding_ = true;  // there is one buffer, so JSON within JSON is not read
    return decode_json_frame(text, memo_->decoded) && read(memo_->decoded, context, depth + 1, out);
  }

  bool read_header(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    if (headers_tried_++ == kMostHeaders) {
      return false;
    }
    const TimePoint before = memo_ == nullptr || memo_->foreign_at == LogTime::min()
                                 ? TimePoint::min()
                                 : std::chrono::floor<Seconds>(memo_->foreign_at);
    const std::optional<LogStamp> stamp = take_stamp(text, context, before);
    if (!stamp) {
      return false;
    }
    // The text within was logged at that time, which may have a year.
    StampContext inner = context;
    if (stamp->dated) {
      inner.reference = std::chrono::floor<Seconds>(stamp->at);
    }
    LogLine line;
    switch (read_words(text, inner, depth, line)) {
      case Found::line:  // the stamp of the inner line counts
        out = line;
        out.dated = out.dated || stamp->dated;
        return true;
      case Found::tag:
        out = line;
        break;
      case Found::nothing:
        out = {};
        out.host = word_of(text);
        out.text = after_word(text);
        break;
    }
    out.at = stamp->at;
    out.dated = stamp->dated;
    if (memo_ != nullptr) {
      memo_->foreign_at = stamp->at;
    }
    return true;
  }

  // Reads what is between the stamp and the tag, the tag, and what follows it.
  Found read_words(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    if (text.starts_with("stdout ") || text.starts_with("stderr ")) {
      const std::string_view rest = after_word(text);
      // The word marks a whole or partial line.
      text = word_of(rest).size() == 1 ? after_word(rest) : rest;
    }
    std::uint32_t pid = 0;
    const bool macos = take_macos_columns(text, pid);
    int hosts = 0;
    for (int words = 0; words < kMostWords && !text.empty(); ++words) {
      if (take_loose_tag(text, out)) {
        if (hosts > 1 && out.pid == 0) {
          return Found::nothing;  // it is rather a text with a colon
        }
        out.pid = macos ? pid : out.pid;
        out.text = without_solaris_id(without_macos_library(without_blanks(text)));
        return is_container_tag(out.program) && read_inner(out.text, context, depth, out)
                   ? Found::line
                   : Found::tag;
      }
      if (read_inner(text, context, depth, out)) {
        return Found::line;
      }
      const std::string_view word = word_of(text);
      if (!is_facility_priority(word) && word != "-") {
        if (++hosts > 2) {
          return Found::nothing;
        }
        out.host = word;
      }
      text = after_word(text);
    }
    return Found::nothing;
  }

  // Reads a line with a header of its own, if that names a known program.
  bool read_inner(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    LogLine inner;
    if (depth >= kDeepest || !read_unframed(text, context, depth + 1, inner) ||
        inner.program.empty()) {
      return false;
    }
    out = inner;
    return true;
  }

  bool read_frame(std::string_view text, const StampContext& context, int depth, LogLine& out) {
    const std::string_view head = text.substr(0, kLongestFrame);
    if (const std::size_t bar = head.find('|');
        bar != std::string_view::npos && is_service(head.substr(0, bar))) {
      return read(text.substr(bar + 1), context, depth + 1, out);
    }
    const std::string_view word = word_of(head);
    const bool is_pod = word.starts_with('[') && word.ends_with(']');  // kubectl --prefix
    const bool is_octet_count =
        parse_number<unsigned>(word) && text.substr(word.size()).starts_with(" <");
    // The last one comes from journalctl -o json-sse.
    if (is_pod || is_octet_count || word == "data:") {
      return read(after_word(text), context, depth + 1, out);
    }
    return read_after_path(text, word, context, depth, out);
  }
  // Returns whether the text is the name of a service: "postfix-1  ", "mailcow_postfix-mailcow_1 ",
  // "postfix.1.x2y3@node    ".
  static bool is_service(std::string_view text) {
    const std::string_view name = word_of(text);
    return !name.empty() && without_blanks(text.substr(name.size())).empty() &&
           std::all_of(name.begin(), name.end(), is_tag_character);
  }
  // Reads "mail.log:Nov 21", "/var/log/mail.log:12:Nov 21", "12:Nov 21", "mail.log-Nov 21" of grep
  // -C.
  bool read_after_path(std::string_view text,
                       std::string_view word,
                       const StampContext& context,
                       int depth,
                       LogLine& out) {
    constexpr int kMost = 8;
    int tried = 0;
    for (std::size_t at = word.find_first_of(":-"); at != std::string_view::npos && tried < kMost;
         at = word.find_first_of(":-", at + 1), ++tried) {
      if (at > 0 && depth < kDeepest &&
          read_unframed(cut_before_record(text.substr(at + 1)), context, depth + 1, out)) {
        return true;
      }
    }
    return false;
  }

  StampMemo* memo_;
  bool decoding_ = false;
  int headers_tried_ = 0;
};

}  // namespace

bool split_foreign_line(std::string_view line,
                        const StampContext& context,
                        StampMemo* memo,
                        LogLine& out) {
  return ForeignReader(memo).read(line, context, 0, out);
}

bool has_more_header(const LogLine& line) {
  if (is_solaris_id(line.text) || is_container_tag(line.program)) {
    return true;
  }
  return line.pid == 0 && (line.host.ends_with(':') || line.host.starts_with('<') ||
                           is_facility_priority(line.program));
}

}  // namespace mtrk::maillog
