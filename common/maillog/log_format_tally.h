#pragma once

#include "common/maillog/log_line.h"
#include "common/maillog/postfix_log.h"

#include <cstdint>
#include <string>
#include <string_view>

// Whether a log is one that its readers know: what they have to say loudly if it is not. A log is
// known by its mail system's lines; a line whose header is unknown, and that holds a mail system's
// record all the same, is counted.
namespace mtrk::maillog {

// Whether a queue id's record stands anywhere in the line: "4dCXzt0Cvjz5Z: to=<". Linear.
[[nodiscard]] bool holds_mail_record(std::string_view line);

// Whether a program of that name is a mail system's own ("postfix/smtp", "sm-mta").
[[nodiscard]] bool is_mail_program(std::string_view program);

// For the lines of one log, or of a part of it, in their order.
class LogFormatTally {
 public:
  // A line that was split, and what the parser made of it.
  void known(std::string_view text, const LogLine& line, LineKind kind) {
    if (!mail_) {
      mail_ = kind != LineKind::ignored || is_mail_program(line.program);
    }
    began_ = true;
    if (line.program.empty()) {
      without_tag(text);
    }
  }
  // A line that could not be split.
  void unknown(std::string_view text);

  // Of the part that follows.
  LogFormatTally& operator+=(const LogFormatTally& later);

  [[nodiscard]] bool empty() const { return !began_; }
  [[nodiscard]] bool mail() const { return mail_; }  // some line is the mail system's
  // Lines that hold mail log behind a header that is unknown. A first line alone, whose beginning
  // may be cut off, does not count in a log that is known else.
  [[nodiscard]] std::uint64_t unknown_lines() const;
  // Lines of a known log that hold a record, but neither program nor text of it can be told: the
  // tag is spoilt.
  [[nodiscard]] std::uint64_t spoilt_lines() const { return mail_ ? without_tag_ : 0; }
  // The first of these or those; where there are none, the first line that is not understood.
  [[nodiscard]] const std::string& example() const {
    return unknown_lines() + spoilt_lines() > 0 ? unknown_ : odd_;
  }

 private:
  void without_tag(std::string_view text);
  [[nodiscard]] bool keep_example(std::string_view text);

  bool began_ = false;
  bool mail_ = false;
  bool first_unknown_ = false;
  std::uint64_t others_unknown_ = 0;
  std::uint64_t without_tag_ = 0;
  std::string unknown_;
  std::string odd_;
};

// "gzip", "xz", … if a file that begins so is compressed; else empty.
[[nodiscard]] std::string_view compression_of(std::string_view first_octets);

}  // namespace mtrk::maillog
