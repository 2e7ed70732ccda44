#pragma once

#include "common/base/time.h"
#include "common/maillog/log_stamp.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// One line of a mail log, split into its syslog parts without looking at what the program said.
// Three headers are on the fast path: traditional ("Nov 21 16:49:22 mx postfix/smtp[1]: "), RFC
// 3339 ("2026-11-21T16:54:11.985366+00:00 mx postfix/smtp[1]: ") and RFC 5424 ("<22>1 … - - "); a
// line that has none of them is tried with all the others that are known (foreign_header.h). What
// stands behind the record is cut off (record_end.h).
namespace mtrk::maillog {

struct LogLine {
  LogTime at;
  bool dated = false;        // the line tells its year
  std::string_view host;     // empty if the line names none
  std::string_view program;  // the tag before '[' or ':': "postfix/submission/smtpd", "sendmail"
  std::uint32_t pid = 0;     // 0 if there is none
  std::string_view text;     // after the tag's ": "; a view into the line
};

// What a reader of many lines keeps between them. To be used with one StampContext only.
struct StampMemo {
  // The last traditional stamp: those of one second come together.
  std::array<char, 16> text{};
  LogTime at;
  // The last stamp of another form. The hour that comes twice in autumn is told by the order of
  // lines.
  LogTime foreign_at = LogTime::min();
  // A line that stood encoded in another (json_frame.h): the parts of its LogLine are views into
  // this, until the next call.
  std::string decoded;
};

// Nothing if the line has no header that is known; lines within JSON are read only with a memo.
// Linear; allocates for those only.
[[nodiscard]] std::optional<LogLine> split_log_line(std::string_view line,
                                                    const StampContext& context,
                                                    StampMemo* memo = nullptr);

}  // namespace mtrk::maillog
