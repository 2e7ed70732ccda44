#pragma once

#include "common/base/mta.h"
#include "common/maillog/delivery_event.h"
#include "common/maillog/log_line.h"
#include "common/maillog/postfix_log.h"
#include "common/maillog/sendmail_log.h"

#include <optional>
#include <string_view>

// The one place where it matters whose log is read: lines in, events out.
namespace mtrk::maillog {

// Reads one log front to back, all its lines: Sendmail's records may continue on further lines.
// Movable; not thread-safe.
class LogParser {
 public:
  explicit LogParser(Mta mta) : mta_(mta) {}

  [[nodiscard]] Mta mta() const { return mta_; }

  // Calls visit(const DeliveryEvent&) for each event of the line. An event's views are valid during
  // the call only.
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

// Whose log this is, judged by the first of the lines that only one of the two writes; nothing if
// there is none among them.
[[nodiscard]] std::optional<Mta> guess_mta(std::string_view lines, const StampContext& stamps);

}  // namespace mtrk::maillog
