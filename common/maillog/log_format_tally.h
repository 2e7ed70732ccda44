#pragma once

#include "common/maillog/log_line.h"
#include "common/maillog/postfix_log.h"

#include <cstdint>
#include <string>
#include <string_view>

// A LogFormatTally finds out whether a log has a format that we can read, so that its readers can
// report loudly if it has not. A mail log is recognised by the lines of a mail system; a line with
// an unknown header that nevertheless holds a record of a mail system is counted.
namespace mtrk::maillog {

// Returns whether a record with a queue id stands anywhere in the line: "4dCXzt0Cvjz5Z: to=<". Runs
// in linear time.
[[nodiscard]] bool holds_mail_record(std::string_view line);

// Returns whether a program of that name belongs to a mail system ("postfix/smtp", "sm-mta").
[[nodiscard]] bool is_mail_program(std::string_view program);

// A tally takes the lines of one log, or of a part of it, in their order.
class LogFormatTally {
 public:
  // Counts a line that was split; `kind` is what the parser made of it.
  void known(std::string_view text, const LogLine& line, LineKind kind) {
    if (!mail_) {
      mail_ = kind != LineKind::ignored || is_mail_program(line.program);
    }
    began_ = true;
    if (line.program.empty()) {
      without_tag(text);
    }
  }
  // Counts a line that could not be split.
  void unknown(std::string_view text);

  // Adds the tally of the part that follows.
  LogFormatTally& operator+=(const LogFormatTally& later);

  [[nodiscard]] bool empty() const { return !began_; }
  [[nodiscard]] bool mail() const { return mail_; }  // some line is one of the mail system
  // Returns the number of lines that hold a mail record after an unknown header. A first line,
  // whose beginning may be cut off, does not count if it is the only one and the rest of the log is
  // known.
  [[nodiscard]] std::uint64_t unknown_lines() const;
  // Returns the number of lines of a known log that hold a record but whose program and text cannot
  // be recognised, because the tag is damaged.
  [[nodiscard]] std::uint64_t spoilt_lines() const { return mail_ ? without_tag_ : 0; }
  // Returns the first of the lines that unknown_lines() and spoilt_lines() count or, if there are
  // none, the first line that was not understood.
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

// Returns "gzip", "xz", … if a file that begins with these octets is compressed, and otherwise an
// empty view.
[[nodiscard]] std::string_view compression_of(std::string_view first_octets);

}  // namespace mtrk::maillog
