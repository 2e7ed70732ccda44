#pragma once

#include "common/base/mta.h"
#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"
#include "common/maillog/postfix_log.h"
#include "common/maillog/sendmail_log.h"

#include <optional>
#include <string_view>

// This is the one place where it matters which MTA wrote the log: lines come in, events go out.
namespace mtrk::maillog {

// A LogParser reads one log from front to back. It needs all lines, because records of Sendmail may
// continue on further lines. Movable; not thread-safe.
class LogParser {
 public:
  explicit LogParser(Mta mta) : mta_(mta) {}

  [[nodiscard]] Mta mta() const { return mta_; }

  // Calls visit(const DeliveryEvent&) for each event of the line. The views in an event are valid
  // only during the call.
  template <typename Visit>
  LineKind parse(const LogLine& line, Visit visit) {
    if (mta_ == Mta::sendmail) {
      const LineKind kind = sendmail_.parse(line);
      for (const DeliveryEvent& event : sendmail_.events()) {
        visit(event);
      }
      return kind;
    }
    const LineKind kind = parse_postfix(line, postfix_event_);
    if (kind == LineKind::events) {
      visit(postfix_event_);
    }
    return kind;
  }

 private:
  Mta mta_;
  SendmailParser sendmail_;
  DeliveryEvent postfix_event_;
};

// Returns which MTA wrote the log, judged by the first line that only one of the two writes.
// Returns nothing if there is no such line.
[[nodiscard]] std::optional<Mta> guess_mta(std::string_view lines, const StampContext& stamps);

}  // namespace mtrk::maillog
