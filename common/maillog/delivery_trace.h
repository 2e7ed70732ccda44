#pragma once

#include "common/base/expected.h"
#include "common/maillog/delivery_event.h"
#include "common/maillog/postfix_attempt.h"
#include "common/maillog/sendmail_trace.h"
#include "common/maillog/trace_graph.h"
#include "common/maillog/trace_types.h"
#include "common/track/outcome.h"
#include "common/track/queue_id.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// The way of one SMTP transaction through one host: a pure state machine from delivery events to an
// Outcome per recipient as given at RCPT. It follows the message across queue ids:
//
//   requeue (postsuper -r)        the new id continues the old one, same recipients
//   local alias, .forward, list   "forwarded as NEW": everything in NEW belongs to that recipient
//   content filter                a hop whose re-injection is proven: by orig_queue_id=, by a
//                                 configured filter, or by the same Message-Id coming in here
//                                 while it was handed over, for the same recipient
//
// Recipients are known by what was given at RCPT: the domain in any case, the local part too, since
// Postfix merges spellings of one address into one delivery. Where the log keeps two spellings that
// were both given apart, each has its own outcome.
//
// A recipient with one target is followed to its end; with several it is `expanded`, whatever
// became of the members (RFC 3886 §4.2). The first target's end is not told as the recipient's
// before it is known to be the only one (trace_members.cc). A recipient that is gone without a word
// is `opaque`, never `delivered`. Terminal outcomes never regress; lines that come late may still
// turn opaque into the truth. What comes too early is replayed by TraceRouter. Rules and evidence:
// contrib/doc/outcomes.md. What is said of ids and hops above is Postfix's way; for Sendmail's see
// sendmail_trace.h.
//
// A value: copyable, no I/O, no clock; not thread-safe. Memory and time are linear in recipients
// and events. encode()/decode() are the form in which the store keeps it (put_/get_ fields,
// version first; decode never trusts lengths).
namespace mtrk::maillog {

struct Meaning;

class DeliveryTrace {
 public:
  // `recipients` as given at RCPT, without brackets. `arrival` is the capture's, or absent: the
  // first event's time is taken then.
  DeliveryTrace(QueueId root,
                std::optional<TimePoint> arrival,
                std::vector<std::string> recipients,
                Recipients mode);

  using Applied = trace::Applied;
  using Evidence = trace::Evidence;
  // `event.queue_id` is one of queue_ids(), or the event's parent (orig_queue_id, orig_id) is, in
  // the same queue; any other event changes nothing. `space`: whose id it is (QueueSpaces::of()).
  [[nodiscard]] Applied apply(const DeliveryEvent& event,
                              const TracePolicy& policy,
                              const Evidence& evidence,
                              const QueueSpace& space = {});
  // Whether an event of that queue id would be one of this message: of the id in another queue,
  // or after it was given to another message, it is not.
  [[nodiscard]] bool has(std::string_view queue_id, const QueueSpace& space) const;
  // Whose ids the lines of that one showed them to be; of the root if it is not known.
  [[nodiscard]] QueueSpace space_of(std::string_view queue_id) const;

  [[nodiscard]] std::span<const std::string> recipients() const { return recipients_; }
  [[nodiscard]] std::optional<std::size_t> find_recipient(std::string_view address) const;
  [[nodiscard]] Outcome outcome(std::size_t recipient, const TracePolicy& policy) const;
  [[nodiscard]] bool redirected(std::size_t recipient) const;
  // To how many addresses this host sends what came for the recipient, as far as the log tells by
  // now: what RFC 3885 §3.3 makes passing the certifier on depend on.
  using Targets = trace::Targets;
  [[nodiscard]] Targets targets(std::size_t recipient) const;
  // The recipient whose mail goes to that address alone, where the log says so: Sendmail's, which
  // gives no ORCPT to what an alias stands for.
  [[nodiscard]] std::optional<std::size_t> find_redirected(std::string_view address) const;
  // The log shows that it was refused at RCPT after all (Sendmail, by another milter).
  [[nodiscard]] bool declined(std::size_t recipient) const;
  [[nodiscard]] trace::Basis basis(std::size_t recipient) const;
  // What its action leaves open, for who explains it.
  [[nodiscard]] trace::End end(std::size_t recipient) const;
  // Whether it is on hold: nothing is tried, and it does not expire.
  [[nodiscard]] bool held(std::size_t recipient) const;
  // It was said to be delivered, maybe, and came in again after that: what was final is not.
  [[nodiscard]] bool handed_back(std::size_t recipient) const;
  // The queue id that the next hop's reply gave for it, if that was the last that is known of it;
  // empty if none. A claim of the other side's.
  [[nodiscard]] std::string handed_on_as(std::size_t recipient) const;
  // Queue ids that were followed for this recipient, root first.
  [[nodiscard]] std::vector<std::string> via(std::size_t recipient) const;

  [[nodiscard]] const std::string& root() const { return nodes_[0].ids[0]; }
  [[nodiscard]] std::vector<std::string> queue_ids() const;  // all that joined, root first
  [[nodiscard]] bool queued() const;     // some queue id of it is still in the queue
  [[nodiscard]] bool seen() const;       // the log named the root: more than the bare client= line
  [[nodiscard]] bool confirmed() const;  // the log showed the root alive (Queued, Attempt, Held …)
  [[nodiscard]] bool refused() const;    // Rejected after all: there must be no record

  void encode(std::string& out) const;
  [[nodiscard]] static Expected<DeliveryTrace> decode(std::string_view& in);

 private:
  using Fate = trace::Fate;

  DeliveryTrace() = default;  // for decode()

  [[nodiscard]] std::optional<std::uint32_t> find_node(std::string_view queue_id) const;
  [[nodiscard]] std::optional<std::uint32_t> find_slot(std::uint32_t node,
                                                       std::string_view key) const;
  // What an address is known by: match_key(), or, if it was given at RCPT in several spellings and
  // this is one of them, spelled_key().
  [[nodiscard]] std::string key_of(std::string_view address) const;
  // Whether the slot is the second one of its address: its spellings are apart from now on.
  [[nodiscard]] bool note_spelling(std::uint32_t slot);
  // The slot of `key`, or of the only other spelling there are attempts for.
  [[nodiscard]] std::optional<std::uint32_t> find_any_spelling(std::uint32_t node,
                                                               std::string_view key) const;
  // A slot whose target is another address than its key.
  [[nodiscard]] std::optional<std::uint32_t> find_target(std::uint32_t node,
                                                         std::string_view target) const;
  std::uint32_t add_node(std::string_view queue_id,
                         trace::Link link,
                         std::uint32_t parent,
                         std::uint32_t slot,
                         const QueueSpace& space);
  std::uint32_t add_slot(std::uint32_t node, std::string key, std::string target);
  void set_target(std::uint32_t slot, std::string target);
  void add_recipient(std::string address);
  void index_recipient(std::uint32_t index);
  void index_all();

  void apply_sendmail(const DeliveryEvent& event,
                      const TracePolicy& policy,
                      const Evidence& evidence,
                      const QueueSpace& space,
                      Applied& applied);
  void note_arrival(TimePoint at, Applied& applied);
  void join_parent(const DeliveryEvent& event, const QueueSpace& space, Applied& applied);
  void apply_attempt(const DeliveryEvent& event,
                     const Attempt& as_written,
                     std::uint32_t node,
                     const TracePolicy& policy,
                     const Evidence& evidence,
                     Applied& applied);
  void take_attempt(const DeliveryEvent& event,
                    const Attempt& attempt,
                    const Meaning& meaning,
                    std::uint32_t node,
                    const Evidence& evidence,
                    Applied& applied);
  // These tell whether a recipient may have further targets (trace_members.cc).
  [[nodiscard]] std::uint32_t addresses_in(const trace::Node& node, trace::Wait wait) const;
  [[nodiscard]] bool may_grow(const trace::Node& node, trace::Wait wait) const;
  void note_member(std::uint32_t node, const Attempt& attempt, bool local, Applied& applied);
  void set_wait(trace::Slot& slot, trace::Wait wait);
  void note_wait(std::uint32_t slot, bool local);
  void settle_if_all_seen(std::uint32_t node, Applied& applied);
  void note_active(std::uint32_t node, LogTime at, Applied& applied);
  void note_requeue(std::uint32_t node, Applied& applied);
  void end_pass(std::uint32_t node, Applied& applied);
  void end_waits(std::uint32_t node, trace::Wait longest, Applied& applied);
  [[nodiscard]] static bool is_redirected(const trace::Slot& slot);
  void join_returned(const DeliveryEvent& event,
                     std::uint64_t message_id,
                     const QueueSpace& space,
                     const Evidence& evidence,
                     Applied& applied);
  void note_returns(const DeliveryEvent& event,
                    const Attempt& attempt,
                    std::uint32_t slot,
                    const Evidence& evidence,
                    Applied& applied);
  void offer(const trace::Reception& came, std::uint32_t parent, Applied& applied);
  void note_slot(std::uint32_t node, std::string_view key, Applied& applied);
  void derive_arrival(const DeliveryEvent& event, const Attempt& attempt, Applied& applied);
  void apply_to_node(const DeliveryEvent& event, std::uint32_t node, Applied& applied);
  [[nodiscard]] std::optional<std::uint32_t> slot_for(std::uint32_t node,
                                                      std::size_t id,
                                                      const Attempt& attempt,
                                                      std::string target,
                                                      Applied& applied);
  void follow_filter(std::uint32_t slot,
                     const Attempt& attempt,
                     bool by_id,
                     bool configured,
                     const Evidence& evidence,
                     Applied& applied);
  void affected_by_spelling(std::string_view key, std::vector<std::size_t>& out) const;
  void affected(std::uint32_t node, std::string_view key, std::vector<std::size_t>& out) const;
  void affected_all(std::uint32_t node, std::vector<std::size_t>& out) const;

  void resolve(std::uint32_t node, std::string_view key, Fate& fate) const;
  void resolve_slot(const trace::Slot& slot, Fate& fate) const;
  void resolve_last(const trace::Slot& slot, Fate& fate) const;
  void resolve_forwarded(std::uint32_t child, Fate& fate) const;
  [[nodiscard]] std::optional<std::uint32_t> filter_child(const trace::Slot& slot) const;
  // Of what may continue the slot (Slot::returns): the one that has its target, or why there is
  // none.
  struct Return {
    std::optional<std::uint32_t> child;
    bool open = false;      // one may yet show to have it
    bool doubtful = false;  // it came back, but not to this target, or twice
    std::uint32_t last = trace::kNone;
  };
  [[nodiscard]] Return returned(const trace::Slot& slot) const;
  [[nodiscard]] bool is_followed(std::uint32_t node) const;
  [[nodiscard]] Fate fate_of(std::size_t recipient) const;

  Recipients mode_ = Recipients::captured;
  std::optional<TimePoint> arrival_;
  bool arrival_given_ = false;  // else it is what the first lines show
  std::vector<std::string> recipients_;
  std::vector<trace::Node> nodes_;  // the root first; a parent before its children
  std::vector<trace::Slot> slots_;
  std::optional<SendmailTrace> sendmail_;  // instead of these, once a record of Sendmail came

  // Derived from the above.
  std::unordered_multimap<std::string, std::uint32_t> recipient_index_;  // match_key()
  std::uint32_t distinct_ = 0;                                           // spellings given
  std::uint32_t addresses_ = 0;                                          // the same, in lower case
  std::vector<Lookalike> lookalikes_;  // the first few: honest mail has none
  // Of addresses given in several spellings (trace_spelling.cc); empty for nearly all messages.
  std::unordered_set<std::string> respelled_;                           // match_key()
  std::unordered_multimap<std::string, std::uint32_t> spelling_index_;  // spelled_key()
  std::unordered_map<std::string, std::uint32_t> only_spelling_;      // node, match_key() → slot
  std::unordered_map<std::string, std::uint32_t> node_index_;         // queue id
  std::unordered_map<std::string, std::uint32_t> slot_index_;         // node, key
  std::unordered_multimap<std::string, std::uint32_t> target_index_;  // node, target if ≠ key
};

// Of a message-id= value, stable across builds (it is stored).
[[nodiscard]] std::uint64_t message_id_hash(std::string_view message_id);

}  // namespace mtrk::maillog
