#pragma once

#include "common/base/local_offset.h"
#include "common/base/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

// One line of a mail log, split into its syslog parts without looking at what the program said.
// Three headers are known: traditional ("Nov 21 16:49:22 mx postfix/smtp[1]: "), RFC 3339
// ("2026-11-21T16:54:11.985366+00:00 mx postfix/smtp[1]: ") and RFC 5424 ("<22>1 … - - ").
namespace mtrk::maillog {

struct LogLine {
  LogTime at;
  std::string_view host;
  std::string_view program;  // the tag before '[' or ':': "postfix/submission/smtpd", "sendmail"
  std::uint32_t pid = 0;     // 0 if there is none
  std::string_view text;     // after the tag's ": "; a view into the line
};

// A traditional stamp has neither year nor zone: the year is the one that puts the line into
// (reference − 370 d, reference + 1 d], the zone is `zone`. `reference` is the file's modification
// time or the clock (reliability B6).
struct StampContext {
  TimePoint reference;
  LocalOffsets zone;
};

// The last traditional stamp that was read, for a reader of many lines: those of one second come
// together, and the hour that comes twice in autumn is told by the order of lines. To be used with
// one StampContext only.
struct StampMemo {
  std::array<char, 16> text{};
  LogTime at;
};

// Nothing if the line has none of the three headers. Linear; never allocates.
[[nodiscard]] std::optional<LogLine> split_log_line(std::string_view line,
                                                    const StampContext& context,
                                                    StampMemo* memo = nullptr);

}  // namespace mtrk::maillog
