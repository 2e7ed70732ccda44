#pragma once

#include "common/base/mta.h"
#include "common/base/time.h"
#include "common/track/enhanced_status.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

// A DeliveryEvent is what one log line says about a queue id. Its views point into the line that
// was parsed, so parsing allocates nothing. To outlive its line, an event must be copied into an
// OwnedEvent (owned_event.h).
namespace mtrk::maillog {

// An Attempt is one delivery attempt for one recipient: Postfix's `to=<…>, …, status=…` line, or
// one address of Sendmail's `to=…, …, stat=…` record.
struct Attempt {
  // For Postfix this is the last part of the program's name (smtp, lmtp, local, virtual, pipe, …),
  // for Sendmail it is mailer= (local, prog, *file*, esmtp, …). It is empty if unknown.
  std::string_view agent;
  std::string_view recipient;  // to=, without the brackets, as logged
  std::string_view original;   // orig_to=; Sendmail: ctladdr= without uid; empty if absent
  std::string_view relay;      // as logged: "none", "local", "mx[192.0.2.1]:25", "mx[/path]"
  std::string_view delay;      // "0.16"; empty if absent
  std::string_view delays;     // "0.05/0.01/0.05/0.05"
  std::string_view tls;  // tls=, empty if absent; Sendmail: what an earlier line says about TLS
  std::optional<EnhancedStatus> dsn;
  // The log's own word: sent, deferred, bounced, SOFTBOUNCE, deliverable, … For Sendmail it is all
  // of stat=.
  std::string_view status;
  // The text within the final parentheses, as far as the log has it. For Sendmail it is reply=, or
  // what stat= quotes of the other side.
  std::string_view text;
  std::string_view forwarded_as;  // local(8): the NEW of "forwarded as NEW"
  // Postfix's line from "to=" on, so that code which knows the recipients can read it once more. It
  // is empty if the line is not available.
  std::string_view written;
  // For smtp and lmtp with status=sent this is the ID of "… queued as ID", which is hostile text.
  std::string_view queued_as;
  bool cut = false;                 // the log has cut the text off: its last parenthesis is missing
  bool bracketed = false;           // Sendmail: to=<…>, as an address of RCPT is logged
  bool original_bracketed = false;  // Sendmail: ctladdr=<…>
  bool replied = false;             // Sendmail: there is a reply=, which a success does not have
};
struct Client {                    // smtpd opened a queue file for a client
  std::string_view client;         // "unknown[127.0.0.1]"
  std::string_view orig_queue_id;  // given by XFORWARD, empty if absent
};
struct Pickup {  // pickup took a local submission or a requeued message
  // The old queue id after `postsuper -r`, or after MailScanner, which takes one queue file and
  // writes another. It is empty if absent.
  std::string_view orig_id;
};
struct MessageId {  // cleanup: message-id=<…>
  std::string_view message_id;
};
// Queued proves that the message was accepted. Postfix's qmgr logs "from=<…>, size=…, nrcpt=…
// (queue active)". Sendmail logs everything in one record: "from=<…>, size=…, class=…, nrcpts=…,
// msgid=…, …, relay=…"; if that has no message id, there was no DATA.
struct Queued {
  std::string_view sender;
  std::uint32_t recipients;
  std::string_view message_id{};  // Sendmail
  std::string_view client{};      // Sendmail: "localhost [127.0.0.1]", "root@localhost"
  std::uint64_t size = 0;         // octets
};
struct GaveUp {  // qmgr: status=expired or force-expired, and returned to sender
  std::string_view status;
  std::string_view child{};  // Sendmail: the queue id of the report
  std::string_view text{};   // Sendmail: "Cannot send message for 5 days"
};
// Postfix logs "removed" by qmgr when the message is done, or by postsuper when it was deleted;
// `by` is empty if unknown. Sendmail logs "done; …", and `by` is then "sendmail".
struct Removed {
  std::string_view by;
};
enum class Verdict { refused, discarded };
// Says that cleanup rejected or discarded the message: milter-reject or milter-discard at
// END-OF-MESSAGE, or reject: or discard: by its own checks.
struct Rejected {
  Verdict verdict;
  std::string_view text;
};
// Postfix: hold: or milter-hold: of cleanup, "placed on hold" of postsuper. Sendmail: quarantine=.
struct Held {};
struct Released {};      // postsuper "released from hold"; Sendmail: unquarantine
struct Requeued {};      // postsuper "requeued": this id ends, and Pickup{orig_id} continues it
struct ForcedExpiry {};  // postsuper "expired": GaveUp follows
struct Notification {    // a DSN was made for this message
  // Postfix: "non-delivery", "delay", "delivery status". Sendmail: "DSN", "return to sender",
  // "sender notify", "postmaster notify".
  std::string_view kind;
  std::string_view child;   // the queue id of the DSN
  std::string_view text{};  // Sendmail: "User unknown", "Return receipt", …
};
// Only Sendmail has the events below.
struct Redirection {         // "alias A => B, C", "forward A => B, C" (LogLevel 11)
  std::string_view kind;     // "alias", "forward"
  std::string_view from;     // without brackets
  bool bracketed = false;    // `from` was in brackets, as an address of RCPT is
  std::string_view targets;  // as logged; may be cut ("...")
};
struct Cloned {  // "NEW: clone: owner=O": the members of a list with an owner continue as NEW
  std::string_view child;
  std::string_view owner;
};
struct Split {                // "split: …": some of the recipients continue under these queue ids
  std::string_view children;  // "N", "N1; N2"
};
struct Declined {  // a recipient that was refused at RCPT
  std::string_view recipient;
  std::string_view text;
};
struct Added {  // "Milter add: rcpt: A": the sender did not name this recipient
  std::string_view recipient;
};

struct DeliveryEvent {
  LogTime at;
  std::string_view queue_id;
  std::variant<Held,  // This is first because it is empty, so that a new event costs nothing.
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
  // These say to whose name space the queue id belongs: the host as logged, and the tag, which
  // begins with the name of the instance ("postfix-out/smtp"). Each is empty where the log does not
  // say.
  std::string_view host{};
  std::string_view program{};
};

// A LineKind says what a line turned out to be.
enum class LineKind {
  events,
  ignored,   // not about a delivery
  unparsed,  // looks like a delivery line, but does not match; counted and shown
};

// Returns the name that `mtrkctl events` prints: "delivery", "client", "pickup", "message-id",
// "queued", "expired", "force-expired", "removed", "rejected", "discarded", "held", "released",
// "requeued" or "notified"; "forwarded" for a delivery that local(8) handed on; and for Sendmail
// "alias", "forward", "clone", "split", "declined" or "added".
[[nodiscard]] std::string_view event_name(const DeliveryEvent& event);

// Returns the id that the event says it continues: orig_queue_id= of a client, orig_id= of a
// pickup. It is empty if there is none.
[[nodiscard]] std::string_view origin_of(const DeliveryEvent& event);

}  // namespace mtrk::maillog
