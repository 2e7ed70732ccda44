#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

// The one table from the log's words to what they mean for a recipient.
namespace mtrk::maillog {

struct Meaning {
  trace::Last last;
  EnhancedStatus status;   // of the class that fits: 2 for success, 4 deferred, 4 or 5 bounced
  std::string remote_mta;  // name of type dns, empty if no other host took part, or only a gate
  bool local;              // local(8), whose recipients may have several targets
  bool configured;         // the relay is one of the configured filters
  bool filter;             // the same, or the reply is one of a content filter
  bool maybe_filter;       // sent, and it may come back as another message on this host
  bool by_id;              // the reply's word for that message's queue id may be believed
  bool pipe;               // pipe(8), from which it would come back by sendmail(1)
};

// Nothing for words that are no outcome: verification probes, words we do not know.
[[nodiscard]] std::optional<Meaning> meaning_of(const Attempt& attempt,
                                                std::span<const std::string> filters,
                                                std::span<const std::string> gates = {});

// recipient_key(), with quotes and backslashes only where they are needed, as Postfix logs it:
// `"joe"@x` is joe@x.
[[nodiscard]] std::string match_key(std::string_view address);
// The same with the local part's case kept (RFC 5321 §2.4): to_lower(spelled_key(a)) is
// match_key(a).
[[nodiscard]] std::string spelled_key(std::string_view address);

}  // namespace mtrk::maillog
