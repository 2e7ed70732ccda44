#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

// meaning_of() is the one table that says what the words of Postfix's log mean for a recipient.
namespace mtrk::maillog {

struct Meaning {
  trace::Last last;
  EnhancedStatus status;  // of the class that fits: 2 for success, 4 if deferred, 4 or 5 if bounced
  std::string remote_mta;  // name of type dns, empty if no other host took part, or only a gate
  bool local;              // local(8), whose recipients may have several targets
  bool configured;         // the relay is one of the configured filters
  bool filter;        // the relay is a configured filter, or the reply is that of a content filter
  bool maybe_filter;  // sent, and may come back as another message on this host
  bool by_id;         // the queue id in the reply may be believed
  bool pipe;          // pipe(8), from which it would come back by sendmail(1)
};

// Returns nothing if the words are no outcome: for verification probes and for unknown words.
[[nodiscard]] std::optional<Meaning> meaning_of(const Attempt& attempt,
                                                std::span<const std::string> filters,
                                                std::span<const std::string> gates = {});

// Returns recipient_key() with quotes and backslashes only where they are needed, as Postfix logs
// it: `"joe"@x` becomes joe@x.
[[nodiscard]] std::string match_key(std::string_view address);
// Does the same, but keeps the case of the local part (RFC 5321 §2.4): to_lower(spelled_key(a)) is
// match_key(a).
[[nodiscard]] std::string spelled_key(std::string_view address);

}  // namespace mtrk::maillog
