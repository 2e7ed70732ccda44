#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"
#include "common/track/enhanced_status.h"

#include <optional>
#include <string>
#include <string_view>

// The one table from the words of Sendmail's delivery records to what they mean.
namespace mtrk::maillog {

struct SendmailMeaning {
  trace::Last last;
  EnhancedStatus status;
  std::string remote_mta;  // name of type dns, empty if no other host took part
  bool loopback;           // the relay is on this host
};

// Nothing for records that are no outcome: queued only, quarantined, refused by a milter before the
// message was taken, or of two minds ("Sent" with reply=, H1).
[[nodiscard]] std::optional<SendmailMeaning> sendmail_meaning_of(const Attempt& attempt);

}  // namespace mtrk::maillog
