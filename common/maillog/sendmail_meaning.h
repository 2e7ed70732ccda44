#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"
#include "common/track/enhanced_status.h"

#include <optional>
#include <span>
#include <string>

// sendmail_meaning_of() is the one table that says what the words of Sendmail's delivery records
// mean.
namespace mtrk::maillog {

struct SendmailMeaning {
  trace::Last last;
  EnhancedStatus status;
  std::string remote_mta;  // name of type dns, empty if no other host took part
  bool loopback;           // the relay is on this host, and no gate
};

// Returns nothing if the record is no outcome: if the message was only queued, was quarantined, or
// was refused by a milter before it was accepted, or if the record contradicts itself ("Sent" with
// reply=). The fate of a discarded message is unknown.
//
// `gates` are addresses with ports. Sendmail logs no ports, so anything that listens on the address
// of a gate is taken for the gate if its reply has the gate's tag (gate_tag.h), and only then.
[[nodiscard]] std::optional<SendmailMeaning> sendmail_meaning_of(
    const Attempt& attempt, std::span<const std::string> gates = {});

}  // namespace mtrk::maillog
