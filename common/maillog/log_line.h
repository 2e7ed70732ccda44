#pragma once

#include "common/base/time.h"
#include "common/maillog/log_stamp.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// split_log_line() splits one line of a mail log into its syslog parts, without looking at what the
// program said. Three headers are on the fast path: the traditional one ("Nov 21 16:49:22 mx
// postfix/smtp[1]: "), RFC 3339 ("2026-11-21T16:54:11.985366+00:00 mx postfix/smtp[1]: ") and RFC
// 5424 ("<22>1 … - - "). A line that has none of them is tried with all other known headers
// (foreign_header.h). What follows the record is cut off (line_ends.h).
namespace mtrk::maillog {

struct LogLine {
  LogTime at;
  bool dated = false;        // the stamp has a year
  std::string_view host;     // empty if the line names none
  std::string_view program;  // the tag before '[' or ':': "postfix/submission/smtpd", "sendmail"
  std::uint32_t pid = 0;     // 0 if there is none
  std::string_view text;     // after the tag's ": "; a view into the line
};

// A StampMemo is what a reader of many lines keeps between them. One memo must only be used with
// one StampContext.
struct StampMemo {
  // This is the last traditional stamp, because lines of the same second come together.
  std::array<char, 16> text{};
  LogTime at;
  // This is the last stamp of another form. The hour that comes twice in autumn is recognised by
  // the order of lines.
  LogTime foreign_at = LogTime::min();
  // This is a line that was encoded in another (json_frame.h). The parts of its LogLine are views
  // into this string, and are valid until the next call.
  std::string decoded;
};

// Returns nothing if the line has no known header. Lines within JSON are only read if there is a
// memo, and only they allocate memory. Runs in linear time.
[[nodiscard]] std::optional<LogLine> split_log_line(std::string_view line,
                                                    const StampContext& context,
                                                    StampMemo* memo = nullptr);

}  // namespace mtrk::maillog
