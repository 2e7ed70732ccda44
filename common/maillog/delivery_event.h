#pragma once

#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

// What one log line says about a queue id. Views point into the line that was parsed, so parsing
// allocates nothing; an event outlives its line only as an OwnedEvent (trace_router.h).
namespace mtrk::maillog {

// One attempt for one recipient: Postfix's `to=<…>, …, status=…` line.
struct Attempt {
  std::string_view
      agent;  // last part of the program: smtp, lmtp, local, virtual, pipe, …; empty if unknown
  std::string_view recipient;  // to=, without the brackets, as logged
  std::string_view original;   // orig_to=, empty if absent
  std::string_view relay;      // as logged: "none", "local", "mx[192.0.2.1]:25", "mx[/path]"
  std::string_view delay;      // "0.16"; empty if absent
  std::string_view delays;     // "0.05/0.01/0.05/0.05"
  std::string_view tls;        // tls=, empty if absent
  std::optional<EnhancedStatus> dsn;
  std::string_view
      status;  // the log's own word: sent, deferred, bounced, SOFTBOUNCE, deliverable, …
  std::string_view text;          // inside the final parentheses; may be cut by the log (no ")")
  std::string_view forwarded_as;  // local: NEW of "forwarded as NEW"
  std::string_view queued_as;  // smtp, lmtp with status=sent: ID of "… queued as ID"; hostile text
};
struct Client {                    // smtpd: a queue file was opened for a client
  std::string_view client;         // "unknown[127.0.0.1]"
  std::string_view orig_queue_id;  // XFORWARD's, empty if absent
};
struct Pickup {              // pickup: local submission, or a requeued message
  std::string_view orig_id;  // of `postsuper -r`, empty if absent
};
struct MessageId {  // cleanup: message-id=<…>
  std::string_view message_id;
};
struct Queued {  // qmgr: "from=<…>, size=…, nrcpt=… (queue active)": the proof of acceptance
  std::string_view sender;
  std::uint32_t recipients;
};
struct GaveUp {  // qmgr: status=expired | force-expired, returned to sender
  std::string_view status;
};
struct Removed {  // "removed": by qmgr when done, by postsuper when deleted; `by` empty if unknown
  std::string_view by;
};
enum class Verdict { refused, discarded };
struct Rejected {  // cleanup: milter-reject / milter-discard at END-OF-MESSAGE, reject: / discard:
                   // by checks
  Verdict verdict;
  std::string_view text;
};
struct Held {};            // cleanup hold:/milter-hold:, postsuper "placed on hold"
struct Released {};        // postsuper "released from hold"
struct Requeued {};        // postsuper "requeued": the id ends, Pickup{orig_id} continues it
struct ForcedExpiry {};    // postsuper "expired": GaveUp follows
struct Notification {      // bounce: a DSN was made for this message
  std::string_view kind;   // "non-delivery", "delay", "delivery status"
  std::string_view child;  // its queue id
};

struct DeliveryEvent {
  LogTime at;
  std::string_view queue_id;
  std::variant<Attempt,
               Client,
               Pickup,
               MessageId,
               Queued,
               GaveUp,
               Removed,
               Rejected,
               Held,
               Released,
               Requeued,
               ForcedExpiry,
               Notification>
      what;
};

// The name `mtrkctl events` prints: "delivery", "client", "pickup", "message-id", "queued",
// "expired", "force-expired", "removed", "rejected", "discarded", "held", "released", "requeued",
// "notified"; a delivery by local(8) that was handed on is "forwarded".
[[nodiscard]] std::string_view event_name(const DeliveryEvent& event);

// The id that this one says it continues: orig_queue_id= of a client, orig_id= of a pickup; empty
// if none.
[[nodiscard]] std::string_view origin_of(const DeliveryEvent& event);

}  // namespace mtrk::maillog
