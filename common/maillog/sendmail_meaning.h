#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"
#include "common/track/enhanced_status.h"

#include <optional>
#include <span>
#include <string>

// The one table from the words of Sendmail's delivery records to what they mean.
namespace mtrk::maillog {

struct SendmailMeaning {
  trace::Last last;
  EnhancedStatus status;
  std::string remote_mta;  // name of type dns, empty if no other host took part
  bool loopback;           // the relay is on this host, and no gate
};

// Nothing for records that are no outcome: queued only, quarantined, refused by a milter before the
// message was taken, or of two minds ("Sent" with reply=). What was discarded is of unknown fate.
//
// `gates` are addresses with ports; Sendmail logs none, so that all that listens on the address of
// a gate is believed to be it if its reply has the gate's tag (gate_tag.h), and only then.
[[nodiscard]] std::optional<SendmailMeaning> sendmail_meaning_of(
    const Attempt& attempt, std::span<const std::string> gates = {});

}  // namespace mtrk::maillog
