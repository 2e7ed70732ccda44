#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/trace_graph.h"
#include "common/maillog/trace_types.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// A SendmailTrace follows one message through Sendmail: it is the part of a DeliveryTrace that is
// made from Sendmail's log.
//
// Sendmail expands aliases within the queue file, and logs that only at LogLevel 11. At level 9 a
// result names the member, not the recipient that it is for. A message continues under further
// queue ids (`split`, or `clone` for a list with an owner), and comes back as another message
// through a filter or from the submission queue. All ids of one message make a family; results are
// looked up in all of it.
//
// The fate of a recipient is found, in this order, from:
//   1. the record that names it, as given at RCPT;
//   2. what alias and forward records lead to; several targets, or a list, are `expanded`;
//   3. the records with ctladdr=RECIPIENT (programs, files, some failures); several are `expanded`;
//   4. elimination, if the log has no alias records and all recipients are known: the records that
//      can belong to no other recipient.
// If none of these applies, the fate is unknown and the recipient stays delayed. After the message
// was given up ("Cannot send message for …"), or when its queue file is gone ("done"), what was
// deferred is failed with 4.4.7. The rules and their evidence are in contrib/doc/outcomes.md.
//
// A trace is a value. It is not thread-safe. It is linear in recipients and records.
namespace mtrk::maillog {

class SendmailTrace {
 public:
  // `recipients` are those of the DeliveryTrace, here and below; in mode collect, apply() appends
  // to them. `host` is the log's name of the host, as far as it is known.
  SendmailTrace(std::string root, const std::vector<std::string>& recipients);

  void apply(const DeliveryEvent& event,
             Recipients mode,
             const TracePolicy& policy,
             const trace::Evidence& evidence,
             const QueueSpace& host,
             std::vector<std::string>& recipients,
             trace::Applied& applied);

  [[nodiscard]] trace::Fate fate(const std::string& recipient) const;
  // Returns where the recipient's mail goes according to alias and forward records (LogLevel 11).
  // This is `several` if any recipient is a list with an owner, because the log does not
  // distinguish its members from those of others.
  struct Redirected {
    trace::Targets targets = trace::Targets::unknown;
    std::string_view target;  // if there is exactly one
  };
  [[nodiscard]] Redirected redirected(const std::string& recipient) const;
  // Returns whether the recipient was refused at RCPT, so that Sendmail never took responsibility
  // for it.
  [[nodiscard]] bool declined(const std::string& recipient) const;

  [[nodiscard]] const std::string& root() const { return nodes_[0].id; }
  [[nodiscard]] std::vector<std::string> queue_ids() const;
  [[nodiscard]] bool has(std::string_view queue_id) const;
  [[nodiscard]] bool queued(const std::vector<std::string>& recipients) const;
  [[nodiscard]] bool seen() const { return nodes_[0].seen; }
  [[nodiscard]] bool confirmed() const { return nodes_[0].alive; }
  [[nodiscard]] bool refused() const { return nodes_[0].refused; }

  void encode(std::string& out) const;
  [[nodiscard]] static std::optional<SendmailTrace> decode(
      std::string_view& in, const std::vector<std::string>& recipients);

 private:
  enum class Link : std::uint8_t { root, split, clone, handed_on };
  struct Node {
    std::string id;
    Link link = Link::root;
    std::uint32_t parent = trace::kNone;
    std::uint32_t family = 0;             // the first node of its family
    std::uint32_t result = trace::kNone;  // handed_on: the result that this node continues
    std::uint32_t recipients = 0;         // nrcpts=, 0 if not seen
    std::uint64_t message_id = 0;         // hash, 0 if not seen
    TimePoint at;                         // when it joined
    bool seen = false;                    // the log showed it accepted, or tried
    bool alive = false;                   // the same, for confirmed()
    bool gave_up = false;                 // "Cannot send message for …"
    bool done = false;                    // its queue file is gone
    bool vanished = false;                // its queue file is gone, by other evidence than the log
    bool refused = false;                 // refused or discarded after all
    bool loop = false;                    // "aliasing/forwarding loop broken"
    bool held = false;                    // quarantined, and not tried as long as it is
    std::uint32_t results = 0;            // how many results it has (derived)
    std::uint32_t deferred = 0;           // how many of these are deferred (derived)
  };
  struct Result {  // what the last record said about one address
    std::uint32_t node = 0;
    std::string address;  // as logged, without brackets
    std::string owner;    // ctladdr=, empty if absent
    bool bracketed = false;
    bool owner_bracketed = false;
    trace::Last last = trace::Last::deferred;
    EnhancedStatus status{4, 0, 0};
    TimePoint at;
    std::string remote_mta;
    std::uint32_t child = trace::kNone;  // the node it was handed on to
    std::string key;                     // derived
  };
  struct Alias {
    std::uint32_t family = 0;
    std::string from;
    std::string target;  // empty if there are several, or if the log has cut it
    bool several = false;
    TimePoint at;
  };
  struct Found {
    const Result* first = nullptr;
    bool several = false;
  };

  SendmailTrace() = default;

  // These functions take in events: sendmail_trace.cc.
  void apply_attempt(const DeliveryEvent& event,
                     const Attempt& attempt,
                     std::uint32_t node,
                     const TracePolicy& policy,
                     const trace::Evidence& evidence,
                     const QueueSpace& host,
                     trace::Applied& applied);
  [[nodiscard]] bool apply_to_node(const DeliveryEvent& event,
                                   std::uint32_t node,
                                   trace::Applied& applied);
  [[nodiscard]] bool apply_redirection(const Redirection& redirection,
                                       TimePoint at,
                                       std::uint32_t node);
  [[nodiscard]] std::optional<std::string_view> new_recipient(const DeliveryEvent& event,
                                                              std::uint32_t node) const;
  [[nodiscard]] bool apply_declined(const Declined& declined, std::uint32_t node);
  void hand_on(std::uint32_t result,
               const Attempt& attempt,
               const trace::Evidence& evidence,
               const QueueSpace& host,
               trace::Applied& applied);

  // These functions keep and find nodes, results and aliases: sendmail_graph.cc.
  [[nodiscard]] std::optional<std::uint32_t> find_node(std::string_view queue_id) const;
  std::optional<std::uint32_t> add_node(std::string_view queue_id,
                                        Link link,
                                        std::uint32_t parent,
                                        TimePoint at,
                                        trace::Applied& applied);
  [[nodiscard]] std::uint32_t result_for(const Attempt& attempt, std::uint32_t node);
  void index_all(const std::vector<std::string>& recipients);
  void index_recipient(const std::string& address, std::size_t index);
  void index_result(std::uint32_t result);
  void index_alias(std::uint32_t alias);
  void affected(std::uint32_t family,
                const std::string& key,
                const std::string& owner,
                std::vector<std::size_t>& out) const;
  void affected_by_node(std::uint32_t node, std::vector<std::size_t>& out) const;
  void add_open(std::vector<std::size_t>& out) const;
  [[nodiscard]] const Result* find_result(std::uint32_t family,
                                          std::string_view address,
                                          std::string_view owner) const;
  [[nodiscard]] Found find_owned(std::uint32_t family, const std::string& owner) const;
  [[nodiscard]] const Alias* find_alias(std::uint32_t family, const std::string& key) const;

  // These functions find outcomes: sendmail_fate.cc.
  [[nodiscard]] bool resolve(std::uint32_t family,
                             const std::string& address,
                             const std::string& owner,
                             unsigned depth,
                             trace::Fate& fate) const;
  [[nodiscard]] bool eliminate(const std::string& key, trace::Fate& fate) const;
  [[nodiscard]] bool is_complete() const;
  [[nodiscard]] bool has_further_members(const std::string& key) const;
  [[nodiscard]] std::string local_part_of(const std::string& key) const;
  [[nodiscard]] bool goes_in_circles(const std::string& key) const;
  void resolve_result(const Result& result, unsigned depth, trace::Fate& fate) const;
  void resolve_child(std::uint32_t child,
                     const std::string& address,
                     unsigned depth,
                     trace::Fate& fate) const;
  void resolve_untried(trace::Fate& fate) const;
  void add_path(std::uint32_t node, trace::Fate& fate) const;

  std::vector<Node> nodes_;  // the root first; a parent before its children
  std::vector<Result> results_;
  std::vector<Alias> aliases_;
  std::map<std::string, EnhancedStatus> declined_;  // refused at RCPT, by key
  std::set<std::string> added_;                     // keys of recipients that milters added

  // All that follows is derived from the above and from the recipients.
  std::unordered_map<std::string, std::uint32_t> node_index_;                 // queue id
  std::unordered_map<std::string, std::vector<std::uint32_t>> result_index_;  // family, key
  std::unordered_map<std::string, std::vector<std::uint32_t>> owner_index_;   // family, owner's key
  std::unordered_map<std::string, std::uint32_t> alias_index_;                // family, key
  std::unordered_map<std::string, std::vector<std::uint32_t>> target_index_;  // family, key
  std::unordered_map<std::string, std::vector<std::size_t>> recipient_index_;  // key
  // This holds the keys of recipients that no record names or has as its owner.
  std::unordered_set<std::string> open_;
  std::unordered_set<std::string> indirect_;  // keys of recipients that no record names
  std::unordered_set<std::string> others_;    // keys of bracketed addresses that are no recipients
  std::vector<std::uint32_t> unowned_;        // results of the root's family that have no owner
  std::uint32_t clones_ = 0;                  // clones of the root
};

}  // namespace mtrk::maillog
