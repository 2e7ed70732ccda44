#pragma once

#include "common/base/mta.h"
#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

// What one log line says about a queue id. Views point into the line that was parsed, so parsing
// allocates nothing; an event outlives its line only as an OwnedEvent (trace_router.h).
namespace mtrk::maillog {

// One attempt for one recipient: Postfix's `to=<…>, …, status=…` line, or one address of Sendmail's
// `to=…, …, stat=…` record.
struct Attempt {
  // Postfix: last part of the program (smtp, lmtp, local, virtual, pipe, …). Sendmail: mailer=
  // (local, prog, *file*, esmtp, …). Empty if unknown.
  std::string_view agent;
  std::string_view recipient;  // to=, without the brackets, as logged
  std::string_view original;   // orig_to=; Sendmail: ctladdr= without uid; empty if absent
  std::string_view relay;      // as logged: "none", "local", "mx[192.0.2.1]:25", "mx[/path]"
  std::string_view delay;      // "0.16"; empty if absent
  std::string_view delays;     // "0.05/0.01/0.05/0.05"
  std::string_view tls;        // tls=, empty if absent; Sendmail: what a line before says of TLS
  std::optional<EnhancedStatus> dsn;
  std::string_view status;  // the log's own word: sent, deferred, bounced, SOFTBOUNCE, deliverable,
                            // … Sendmail: all of stat=
  // Inside the final parentheses, as far as the log has it. Sendmail: reply=, or what stat= quotes
  // of the other side.
  std::string_view text;
  std::string_view forwarded_as;  // local: NEW of "forwarded as NEW"
  std::string_view written;    // Postfix's line from "to=" on, to be read once more by somebody who
                               // knows the recipients; empty if it is not at hand
  std::string_view queued_as;  // smtp, lmtp with status=sent: ID of "… queued as ID"; hostile text
  bool cut = false;            // the log has cut the text: its last parenthesis is missing
  bool bracketed = false;      // Sendmail: to=<…>, as an address of RCPT is logged
  bool original_bracketed = false;  // Sendmail: ctladdr=<…>
  bool replied = false;             // Sendmail: there is a reply=, which a success does not have
};
struct Client {                    // smtpd: a queue file was opened for a client
  std::string_view client;         // "unknown[127.0.0.1]"
  std::string_view orig_queue_id;  // XFORWARD's, empty if absent
};
struct Pickup {  // pickup: local submission, or a requeued message
  // Of `postsuper -r`, or of MailScanner, which takes a queue file and writes another; empty if
  // absent.
  std::string_view orig_id;
};
struct MessageId {  // cleanup: message-id=<…>
  std::string_view message_id;
};
// qmgr: "from=<…>, size=…, nrcpt=… (queue active)": the proof of acceptance. Sendmail says it all
// in one record: "from=<…>, size=…, class=…, nrcpts=…, msgid=…, …, relay=…"; without a message id
// there was no DATA.
struct Queued {
  std::string_view sender;
  std::uint32_t recipients;
  std::string_view message_id{};  // Sendmail
  std::string_view client{};      // Sendmail: "localhost [127.0.0.1]", "root@localhost"
  std::uint64_t size = 0;         // octets
};
struct GaveUp {  // qmgr: status=expired | force-expired, returned to sender
  std::string_view status;
  std::string_view child{};  // Sendmail: the queue id of the report
  std::string_view text{};   // Sendmail: "Cannot send message for 5 days"
};
struct Removed {  // "removed": by qmgr when done, by postsuper when deleted; `by` empty if unknown
                  // Sendmail: "done; …", by "sendmail"
  std::string_view by;
};
enum class Verdict { refused, discarded };
struct Rejected {  // cleanup: milter-reject / milter-discard at END-OF-MESSAGE, reject: / discard:
                   // by checks
  Verdict verdict;
  std::string_view text;
};
struct Held {};  // cleanup hold:/milter-hold:, postsuper "placed on hold"; Sendmail: quarantine=
struct Released {};      // postsuper "released from hold"; Sendmail: unquarantine
struct Requeued {};      // postsuper "requeued": the id ends, Pickup{orig_id} continues it
struct ForcedExpiry {};  // postsuper "expired": GaveUp follows
struct Notification {    // bounce: a DSN was made for this message
  // "non-delivery", "delay", "delivery status"; Sendmail: "DSN", "return to sender", "sender
  // notify", "postmaster notify"
  std::string_view kind;
  std::string_view child;   // its queue id
  std::string_view text{};  // Sendmail: "User unknown", "Return receipt", …
};
// Sendmail only, below.
struct Redirection {         // "alias A => B, C", "forward A => B, C" (LogLevel 11)
  std::string_view kind;     // "alias", "forward"
  std::string_view from;     // without brackets
  bool bracketed = false;    // from was in brackets, as an address of RCPT is
  std::string_view targets;  // as logged; may be cut ("...")
};
struct Cloned {  // "NEW: clone: owner=O": the members of a list with an owner go on as NEW
  std::string_view child;
  std::string_view owner;
};
struct Split {                // "split: …": some of its recipients go on as these queue ids
  std::string_view children;  // "N", "N1; N2"
};
struct Declined {  // a recipient that was refused at RCPT
  std::string_view recipient;
  std::string_view text;
};
struct Added {  // "Milter add: rcpt: A": not a recipient of the sender's
  std::string_view recipient;
};

struct DeliveryEvent {
  LogTime at;
  std::string_view queue_id;
  std::variant<Held,  // first, so that a new event costs nothing: it is filled in its place
               Attempt,
               Client,
               Pickup,
               MessageId,
               Queued,
               GaveUp,
               Removed,
               Rejected,
               Released,
               Requeued,
               ForcedExpiry,
               Notification,
               Redirection,
               Cloned,
               Split,
               Declined,
               Added>
      what;
  Mta mta = Mta::postfix;
  // Whose name space the queue id is of: the host as the log has it, and the tag, which begins with
  // the name of the instance ("postfix-out/smtp"). Empty where the log does not say.
  std::string_view host{};
  std::string_view program{};
};

// What a line turned out to be.
enum class LineKind {
  events,
  ignored,   // not about a delivery
  unparsed,  // looks like a delivery line, but does not match: counted, shown
};

// The name `mtrkctl events` prints: "delivery", "client", "pickup", "message-id", "queued",
// "expired", "force-expired", "removed", "rejected", "discarded", "held", "released", "requeued",
// "notified"; a delivery by local(8) that was handed on is "forwarded"; Sendmail's "alias",
// "forward", "clone", "split", "declined", "added".
[[nodiscard]] std::string_view event_name(const DeliveryEvent& event);

// The id that this one says it continues: orig_queue_id= of a client, orig_id= of a pickup; empty
// if none.
[[nodiscard]] std::string_view origin_of(const DeliveryEvent& event);

}  // namespace mtrk::maillog
