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

// A DeliveryTrace follows one SMTP transaction through one host. It is a pure state machine that
// turns delivery events into one Outcome for each recipient given at RCPT. It follows the message
// across queue ids:
//
//   requeue (postsuper -r)        the new id continues the old one, with the same recipients
//   local alias, .forward, list   "forwarded as NEW": everything in NEW belongs to that recipient
//   content filter                only if the re-injection is proven: by orig_queue_id=, by a
//                                 configured filter, or because the same Message-Id came in here
//                                 for the same recipient while the message was handed over
//
// Recipients are identified by the addresses given at RCPT. The case of the domain does not matter,
// nor does that of the local part, because Postfix merges spellings of one address into one
// delivery. If two spellings were both given and the log keeps them apart, each has its own
// outcome.
//
// A recipient with one target is followed to its end. A recipient with several is `expanded`,
// whatever became of the members (RFC 3886 §4.2). The end of the first target is not reported as
// that of the recipient before it is known to be the only target (trace_members.cc). A recipient
// that disappears without a log line is `opaque`, never `delivered`. Terminal outcomes never
// regress, but late lines may still replace opaque by the truth. TraceRouter replays events that
// come too early. The rules and their evidence are in contrib/doc/outcomes.md. All that is said
// here of ids and hops is true of Postfix; for Sendmail see sendmail_trace.h.
//
// A trace is a value: it is copyable, does no I/O and uses no clock. It is not thread-safe. Memory
// and time are linear in recipients and events. encode() and decode() convert it to and from the
// form in which the store keeps it (put_ and get_ fields, version first); decode() never trusts
// lengths.
namespace mtrk::maillog {

struct Meaning;

class DeliveryTrace {
 public:
  // `recipients` are as given at RCPT, without brackets. `arrival` is that of the capture; if it is
  // absent, the time of the first event is used.
  DeliveryTrace(QueueId root,
                std::optional<TimePoint> arrival,
                std::vector<std::string> recipients,
                Recipients mode);

  using Applied = trace::Applied;
  using Evidence = trace::Evidence;
  // Applies an event. Either `event.queue_id` or the event's parent (orig_queue_id, orig_id) must
  // be one of queue_ids() and be in the same queue; any other event changes nothing. `space` says
  // to which queue the id belongs (QueueSpaces::of()).
  [[nodiscard]] Applied apply(const DeliveryEvent& event,
                              const TracePolicy& policy,
                              const Evidence& evidence,
                              const QueueSpace& space = {});
  // Returns whether an event of that queue id concerns this message. An event does not if the id is
  // of another queue, or if the id has been given to another message since.
  [[nodiscard]] bool has(std::string_view queue_id, const QueueSpace& space) const;
  // Returns the queue space of that id, as far as its lines showed it; that of the root if the id
  // is not known.
  [[nodiscard]] QueueSpace space_of(std::string_view queue_id) const;

  [[nodiscard]] std::span<const std::string> recipients() const { return recipients_; }
  [[nodiscard]] std::optional<std::size_t> find_recipient(std::string_view address) const;
  [[nodiscard]] Outcome outcome(std::size_t recipient, const TracePolicy& policy) const;
  [[nodiscard]] bool redirected(std::size_t recipient) const;
  // Returns to how many addresses this host sends what came for the recipient, as far as the log
  // shows it by now. RFC 3885 §3.3 lets passing on the certifier depend on this.
  using Targets = trace::Targets;
  [[nodiscard]] Targets targets(std::size_t recipient) const;
  // Returns the recipient whose mail goes to that address alone, if the log says so. Only
  // Sendmail's log does, and Sendmail passes on no ORCPT for the target of an alias.
  [[nodiscard]] std::optional<std::size_t> find_redirected(std::string_view address) const;
  // Returns whether the log shows that the recipient was refused at RCPT after all (by another
  // milter, with Sendmail).
  [[nodiscard]] bool declined(std::size_t recipient) const;
  [[nodiscard]] trace::Basis basis(std::size_t recipient) const;
  // Returns what the recipient's action does not say, for programs that explain it.
  [[nodiscard]] trace::End end(std::size_t recipient) const;
  // Returns whether the recipient is on hold: nothing is tried, and it does not expire.
  [[nodiscard]] bool held(std::size_t recipient) const;
  // Returns whether the mail may have been delivered according to the log, but came in again later,
  // so that the final outcome is no longer final.
  [[nodiscard]] bool handed_back(std::size_t recipient) const;
  // Returns the queue id that the next hop's reply gave for the recipient, if that is the last
  // thing known of it; otherwise the result is empty. The id is a claim of the other side.
  [[nodiscard]] std::string handed_on_as(std::size_t recipient) const;
  // Returns the queue ids that were followed for this recipient, root first.
  [[nodiscard]] std::vector<std::string> via(std::size_t recipient) const;

  [[nodiscard]] const std::string& root() const { return nodes_[0].ids[0]; }
  [[nodiscard]] std::vector<std::string> queue_ids() const;  // all that have joined, root first
  [[nodiscard]] bool queued() const;  // one of its queue ids is still in the queue
  [[nodiscard]] bool seen() const;    // the log named the root in more than the bare client= line
  [[nodiscard]] bool confirmed() const;  // the log showed the root alive (Queued, Attempt, Held …)
  [[nodiscard]] bool refused() const;    // rejected after all: there must be no record

  void encode(std::string& out) const;
  [[nodiscard]] static Expected<DeliveryTrace> decode(std::string_view& in);

 private:
  using Fate = trace::Fate;

  DeliveryTrace() = default;  // for decode()

  [[nodiscard]] std::optional<std::uint32_t> find_node(std::string_view queue_id) const;
  [[nodiscard]] std::optional<std::uint32_t> find_slot(std::uint32_t node,
                                                       std::string_view key) const;
  // Returns the key of an address: match_key(), or spelled_key() if it was given at RCPT in several
  // spellings and this is one of them.
  [[nodiscard]] std::string key_of(std::string_view address) const;
  // Returns whether the slot is the second one of its address, so that its spellings are kept apart
  // from now on.
  [[nodiscard]] bool note_spelling(std::uint32_t slot);
  // Returns the slot of `key`, or that of the only other spelling that has attempts.
  [[nodiscard]] std::optional<std::uint32_t> find_any_spelling(std::uint32_t node,
                                                               std::string_view key) const;
  // Returns a slot whose target differs from its key.
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
  // These functions decide whether a recipient may have further targets (trace_members.cc).
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
  // Of the nodes that may continue the slot (Slot::returns), a Return names the one that has its
  // target, or says why there is none.
  struct Return {
    std::optional<std::uint32_t> child;
    bool open = false;      // one may still turn out to have it
    bool doubtful = false;  // it came back, but not to this target, or twice
    std::uint32_t last = trace::kNone;
  };
  [[nodiscard]] Return returned(const trace::Slot& slot) const;
  [[nodiscard]] bool is_followed(std::uint32_t node) const;
  [[nodiscard]] Fate fate_of(std::size_t recipient) const;

  Recipients mode_ = Recipients::captured;
  std::optional<TimePoint> arrival_;
  bool arrival_given_ = false;  // otherwise `arrival_` is what the first lines show
  std::vector<std::string> recipients_;
  std::vector<trace::Node> nodes_;  // the root first; a parent before its children
  std::vector<trace::Slot> slots_;
  // This replaces the nodes and slots as soon as a record of Sendmail has come.
  std::optional<SendmailTrace> sendmail_;

  // All that follows is derived from the above.
  std::unordered_multimap<std::string, std::uint32_t> recipient_index_;  // match_key()
  std::uint32_t distinct_ = 0;         // number of spellings given
  std::uint32_t addresses_ = 0;        // number of addresses in lower case
  std::vector<Lookalike> lookalikes_;  // only the first few; honest mail has none
  // These hold addresses that were given in several spellings (trace_spelling.cc), so they are
  // empty for nearly all messages.
  std::unordered_set<std::string> respelled_;                           // match_key()
  std::unordered_multimap<std::string, std::uint32_t> spelling_index_;  // spelled_key()
  std::unordered_map<std::string, std::uint32_t> only_spelling_;      // node, match_key() → slot
  std::unordered_map<std::string, std::uint32_t> node_index_;         // queue id
  std::unordered_map<std::string, std::uint32_t> slot_index_;         // node, key
  std::unordered_multimap<std::string, std::uint32_t> target_index_;  // node, target if ≠ key
};

// Returns a hash of a message-id= value. It is stored, and therefore the same in all builds.
[[nodiscard]] std::uint64_t message_id_hash(std::string_view message_id);

}  // namespace mtrk::maillog
