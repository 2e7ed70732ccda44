#include "common/maillog/delivery_trace.h"

#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/postfix_attempt.h"
#include "common/maillog/sendmail_record.h"
#include "common/maillog/stable_hash.h"

#include <algorithm>
#include <tuple>
#include <utility>

// This file takes events in. trace_graph.cc keeps what the trace consists of, trace_members.cc
// decides whether a recipient may have further targets, delivery_outcome.cc finds outcomes, and
// trace_codec.cc encodes what the store keeps.
namespace mtrk::maillog {
namespace {

using trace::kNone;
using trace::Last;
using trace::Link;
using trace::Node;
using trace::Slot;

// sendmail(1) only leaves a message for pickup(8), which wakes up at least once a minute.
constexpr Seconds kPickupDelay{60};
constexpr std::size_t kMostNodes = 4096;  // a message that only may come back gets none

// A retry of a deferred recipient cannot come sooner than this after the previous attempt; the
// lines of one pass over an alias come together.
constexpr Seconds kRetryGap{5};

std::uint64_t line_hash(const DeliveryEvent& event, const Attempt& attempt) {
  const std::int64_t at = event.at.time_since_epoch().count();
  std::uint64_t hash = kHashBasis ^ static_cast<std::uint64_t>(at);
  for (const std::string_view part : {event.queue_id, attempt.recipient, attempt.original,
                                      attempt.delays, attempt.status, attempt.text}) {
    hash = stable_hash(part, (hash ^ part.size()) * kHashPrime);
  }
  return hash == 0 ? 1 : hash;  // 0 stands for "no line"
}

TimePoint to_seconds(LogTime at) {
  return std::chrono::floor<Seconds>(at);
}

// Returns when the message arrived, as far as a record of Sendmail shows it: delay= counts from
// there.
TimePoint arrival_of(const DeliveryEvent& event) {
  const Attempt* attempt = std::get_if<Attempt>(&event.what);
  const std::optional<Seconds> delay =
      attempt != nullptr ? sendmail_interval(attempt->delay) : std::nullopt;
  return to_seconds(event.at) - delay.value_or(Seconds(0));
}

// Parses a duration as Postfix writes it: "1.9", "345600".
std::optional<LogTime::duration> parse_delay(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto whole = parse_number<std::uint32_t>(text.substr(0, dot));
  if (!whole) {
    return std::nullopt;
  }
  LogTime::duration delay = Seconds(*whole);
  LogTime::duration unit = Seconds(1);
  for (std::size_t i = dot + 1; i < text.size() && is_digit(text[i]); ++i) {
    unit /= 10;
    delay += unit * (text[i] - '0');
  }
  return delay;
}

// Returns how inexact the times of the log are: its stamps have whole seconds, and its delays two
// digits.
LogTime::duration slack_of(LogTime at, LogTime::duration delay) {
  const bool whole = at == LogTime(std::chrono::floor<Seconds>(at));
  return (whole ? LogTime::duration(Seconds(1)) : std::chrono::milliseconds(100)) + delay / 16;
}

// Returns when the hand-over began: connecting and transmitting are the last two of delays=a/b/c/d.
LogTime handed_over_since(LogTime at, const Attempt& attempt) {
  const std::size_t last = attempt.delays.rfind('/');
  if (last == std::string_view::npos) {  // all that is known is that it was in the queue
    const LogTime::duration delay = parse_delay(attempt.delay).value_or(Seconds(0));
    return at - delay - slack_of(at, delay);
  }
  const std::size_t third = attempt.delays.substr(0, last).rfind('/') + 1;  // 0 if there is none
  LogTime::duration delay = parse_delay(attempt.delays.substr(last + 1)).value_or(Seconds(0));
  delay += parse_delay(attempt.delays.substr(third, last - third)).value_or(Seconds(0));
  return at - delay - slack_of(at, delay);
}

void sort_unique(std::vector<std::size_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

std::uint64_t message_id_hash(std::string_view message_id) {
  // Without a Message-Id, messages cannot be distinguished: 0 proves nothing.
  return message_id.empty() || message_id == "<>" ? 0 : stable_hash(message_id);
}

DeliveryTrace::DeliveryTrace(QueueId root,
                             std::optional<TimePoint> arrival,
                             std::vector<std::string> recipients,
                             Recipients mode)
    : mode_(mode),
      arrival_(arrival),
      arrival_given_(arrival.has_value()),
      recipients_(std::move(recipients)) {
  nodes_.emplace_back();
  nodes_[0].ids.push_back(root.text());
  index_all();
}

DeliveryTrace::Applied DeliveryTrace::apply(const DeliveryEvent& event,
                                            const TracePolicy& policy,
                                            const Evidence& evidence,
                                            const QueueSpace& space) {
  Applied applied;
  const std::optional<std::uint32_t> node = find_node(event.queue_id);
  if (event.mta == Mta::sendmail || sendmail_) {
    if (nodes_[0].space.same_host(space)) {
      apply_sendmail(event, policy, evidence, space, applied);
    }
    return applied;
  }
  if (!node) {
    if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
      join_returned(event, message_id_hash(id->message_id), space, evidence, applied);
    } else {
      join_parent(event, space, applied);
    }
  } else if (!has(event.queue_id, space)) {
    return applied;
  } else {
    applied.altered = nodes_[*node].space.learn(space);
    if (const Attempt* attempt = std::get_if<Attempt>(&event.what)) {
      apply_attempt(event, *attempt, *node, policy, evidence, applied);
    } else {
      apply_to_node(event, *node, applied);
    }
  }
  if (!arrival_ && (applied.altered || node)) {
    arrival_ = to_seconds(event.at);
    applied.altered = true;
  }
  sort_unique(applied.changed);
  return applied;
}

void DeliveryTrace::apply_sendmail(const DeliveryEvent& event,
                                   const TracePolicy& policy,
                                   const Evidence& evidence,
                                   const QueueSpace& space,
                                   Applied& applied) {
  if (!sendmail_) {
    sendmail_.emplace(root(), recipients_);
    applied.altered = true;
  }
  if (sendmail_->has(event.queue_id)) {
    applied.altered = nodes_[0].space.learn(space.any_instance()) || applied.altered;
  }
  const std::size_t known = recipients_.size();
  sendmail_->apply(event, mode_, policy, evidence, nodes_[0].space, recipients_, applied);
  for (std::size_t i = known; i < recipients_.size(); ++i) {
    index_recipient(static_cast<std::uint32_t>(i));
  }
  if (sendmail_->has(event.queue_id)) {
    note_arrival(arrival_of(event), applied);
  }
  sort_unique(applied.changed);
  sort_unique(applied.cleared);
}

// A log that begins in the middle first shows an attempt, or what came before the next attempt.
// Only an attempt shows the age of the message. The clocks of a capture and of the log differ a
// little.
void DeliveryTrace::note_arrival(TimePoint at, Applied& applied) {
  constexpr Seconds kSameTime{60};
  if (arrival_given_ || (arrival_ && *arrival_ - at <= kSameTime)) {
    return;
  }
  // The arrival decides until when each recipient is tried.
  for (std::size_t i = 0; i < recipients_.size(); ++i) {
    applied.cleared.push_back(i);
  }
  arrival_ = at;
  applied.altered = true;
}

// Joins a queue id that names one of ours as its origin.
void DeliveryTrace::join_parent(const DeliveryEvent& event,
                                const QueueSpace& space,
                                Applied& applied) {
  const std::string_view origin = origin_of(event);
  const std::optional<std::uint32_t> parent = origin.empty() ? std::nullopt : find_node(origin);
  // What comes back through a filter may come into another instance.
  const bool requeued = std::holds_alternative<Pickup>(event.what);
  if (!parent || !has(origin, requeued ? space : space.any_instance())) {
    return;
  }
  if (requeued) {  // it is the same message under a new name
    Node& node = nodes_[*parent];
    note_requeue(*parent, applied);
    node.ids.emplace_back(event.queue_id);
    node.removed = false;
    node_index_.emplace(event.queue_id, *parent);
  } else {
    const std::uint32_t child = add_node(event.queue_id, Link::filtered, *parent, kNone, space);
    if (child == kNone) {
      return;
    }
    nodes_[child].at = event.at;
    for (Slot& slot : slots_) {  // the line of the slot came first
      if (slot.node != *parent || slot.child != kNone) {
        continue;
      }
      if (slot.queued_as == event.queue_id) {
        slot.child = child;
      } else if (slot.maybe_filter && event.at - slot.at <= slack_of(event.at, {})) {
        slot.returns.push_back(child);
      }
    }
    affected_all(child, applied.changed);
  }
  applied.joined.emplace_back(event.queue_id);
  applied.altered = true;
}

void DeliveryTrace::apply_to_node(const DeliveryEvent& event,
                                  std::uint32_t index,
                                  Applied& applied) {
  Node& node = nodes_[index];
  const auto state = [&node] {
    return std::tuple(node.seen, node.alive, node.message_id, node.closed);
  };
  const auto fate = [&node] {
    return std::tuple(node.recipients, node.gave_up, node.removed, node.refused, node.held);
  };
  const auto state_before = state();
  const auto fate_before = fate();
  const bool current = event.queue_id == node.ids.back();
  node.seen = node.seen || !std::holds_alternative<Client>(event.what);
  if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
    if (node.message_id == 0) {
      node.message_id = message_id_hash(id->message_id);
    }
  } else if (const Queued* queued = std::get_if<Queued>(&event.what)) {
    node.alive = true;
    node.recipients = std::max(node.recipients, queued->recipients);
    node.held = false;
    if (current) {
      note_active(index, event.at, applied);
    }
  } else if (std::holds_alternative<GaveUp>(event.what)) {
    node.alive = true;
    node.gave_up = node.gave_up || current;
  } else if (std::holds_alternative<Removed>(event.what)) {
    node.removed = node.removed || current;
  } else if (std::holds_alternative<Rejected>(event.what)) {
    node.refused = node.refused || !node.alive;
  } else if (std::holds_alternative<Client>(event.what) ||
             std::holds_alternative<Pickup>(event.what)) {
    node.closed = node.removed;  // the short queue id was assigned again
  } else if (!std::holds_alternative<Notification>(event.what)) {
    node.alive = true;
    if (std::holds_alternative<Held>(event.what)) {
      node.held = true;
    } else if (std::holds_alternative<Released>(event.what)) {
      node.held = false;
    }
  }
  applied.altered = applied.altered || state() != state_before || fate() != fate_before;
  if (node.removed || node.gave_up || node.closed || node.refused) {
    end_pass(index, applied);
  }
  if (fate() != fate_before) {
    affected_all(index, applied.changed);
  }
}

// Returns the slot that an attempt belongs to, and creates it if necessary. Returns nothing if the
// recipient is not ours.
std::optional<std::uint32_t> DeliveryTrace::slot_for(std::uint32_t node,
                                                     std::size_t id,
                                                     const Attempt& attempt,
                                                     std::string target,
                                                     Applied& applied) {
  std::string key;
  if (nodes_[node].link != Link::forwarded) {
    key = attempt.original.empty() ? target : key_of(attempt.original);
  }
  if (const auto slot = find_slot(node, key)) {
    return slot;
  }
  if (nodes_[node].link == Link::root &&
      recipient_index_.find(to_lower(key)) == recipient_index_.end()) {
    // A requeued message may have lost the address that its member came from.
    if (id > 0) {
      if (const auto slot = find_target(node, target)) {
        return slot;
      }
    }
    if (mode_ == Recipients::captured) {
      return std::nullopt;
    }
    add_recipient(std::string(attempt.original.empty() ? attempt.recipient : attempt.original));
  }
  const std::uint32_t slot = add_slot(node, std::move(key), std::move(target));
  if (note_spelling(slot)) {
    affected_all(node, applied.changed);
  }
  return slot;
}

void DeliveryTrace::apply_attempt(const DeliveryEvent& event,
                                  const Attempt& as_written,
                                  std::uint32_t node,
                                  const TracePolicy& policy,
                                  const Evidence& evidence,
                                  Applied& applied) {
  Attempt again;
  const bool in_doubt = !lookalikes_.empty() && !as_written.written.empty();
  if (in_doubt) {
    again.agent = as_written.agent;
    if (!parse_attempt(as_written.written, again, lookalikes_)) {
      return;
    }
  }
  const Attempt& attempt = in_doubt ? std::as_const(again) : as_written;
  const std::optional<Meaning> meaning = meaning_of(attempt, policy.filters, policy.gates);
  // The message was returned, and nothing is tried after that.
  if (!meaning || nodes_[node].gave_up) {
    return;
  }
  if (!trace::is_final(meaning->last) && !nodes_[node].put_off) {
    nodes_[node].put_off = true;
    applied.altered = true;
  }
  note_member(node, attempt, meaning->local, applied);
  take_attempt(event, attempt, *meaning, node, evidence, applied);
  settle_if_all_seen(node, applied);
}

void DeliveryTrace::take_attempt(const DeliveryEvent& event,
                                 const Attempt& attempt,
                                 const Meaning& meaning,
                                 std::uint32_t node,
                                 const Evidence& evidence,
                                 Applied& applied) {
  const std::vector<std::string>& ids = nodes_[node].ids;
  const std::size_t id =
      static_cast<std::size_t>(std::find(ids.begin(), ids.end(), event.queue_id) - ids.begin());
  std::string target = key_of(attempt.recipient);
  const std::size_t slots_before = slots_.size();
  const std::optional<std::uint32_t> found = slot_for(node, id, attempt, target, applied);
  if (!found) {
    return;
  }
  const bool fresh = slots_.size() > slots_before;
  if (fresh) {
    note_slot(node, slots_[*found].key, applied);
  }
  derive_arrival(event, attempt, applied);
  applied.altered = applied.altered || !nodes_[node].alive || !nodes_[node].seen || fresh;
  nodes_[node].alive = true;
  nodes_[node].seen = true;

  Slot& slot = slots_[*found];
  const std::uint64_t line = line_hash(event, attempt);
  if (std::find(slot.lines.begin(), slot.lines.end(), line) != slot.lines.end()) {
    return;
  }
  const std::uint64_t text = meaning.local ? stable_hash(attempt.text) : 0;
  const TimePoint at = to_seconds(event.at);
  bool several = false;
  if (!fresh && !slot.several) {
    if (slot.target != target) {
      // This is another member, unless the alias itself could not be expanded before, or the
      // message was requeued and its aliases have changed.
      const bool replaced =
          !trace::is_final(slot.last) &&
          (id > slot.id || (slot.local && slot.target == slot.key && at - slot.at >= kRetryGap));
      several = !replaced;
    } else if (trace::is_final(slot.last)) {
      // Only an alias to several commands, files and addresses continues after a final line.
      several = slot.local && meaning.local && at >= slot.at &&
                (slot.text != text || slot.last != meaning.last);
      if (!several) {
        return;
      }
    }
  }
  if (slot.several && attempt.forwarded_as.empty()) {
    return;
  }
  applied.altered = true;
  std::rotate(slot.lines.begin(), slot.lines.end() - 1, slot.lines.end());
  slot.lines[0] = line;
  if (!slot.several) {
    slot.several = several;
    slot.local = meaning.local;
    slot.maybe_filter = meaning.maybe_filter;
    slot.filter = meaning.filter;
    slot.pipe = meaning.pipe;
    slot.returns.clear();
    slot.last = meaning.last;
    slot.status = meaning.status;
    slot.at = at;
    slot.remote_mta = meaning.remote_mta;
    slot.id = static_cast<std::uint32_t>(id);
    slot.child = kNone;
    slot.queued_as.clear();
    slot.text = text;
    affected(node, slot.key, applied.changed);
    set_target(*found, std::move(target));
    // local(8) may have passed a member of its alias to these agents (mailbox_transport).
    const bool maybe_by_local = meaning.local || attempt.agent == "lmtp" || attempt.agent == "pipe";
    note_wait(*found, maybe_by_local);
  }
  if (!attempt.forwarded_as.empty()) {
    // This is also done for a list: as long as a copy is in the queue, the message is queued here.
    if (!find_node(attempt.forwarded_as)) {
      const std::uint32_t child =
          add_node(attempt.forwarded_as, Link::forwarded, node, *found, nodes_[node].space);
      if (child != kNone) {
        slots_[*found].child = child;
        applied.joined.emplace_back(attempt.forwarded_as);
      }
    }
    return;
  }
  if (!attempt.queued_as.empty()) {
    follow_filter(*found, attempt, meaning.by_id, meaning.configured, evidence, applied);
  }
  if (meaning.maybe_filter && slots_[*found].child == kNone) {
    note_returns(event, attempt, *found, evidence, applied);
  }
}

// Derives the arrival from the queue manager's delay=, which counts from it, for a log that begins
// later.
void DeliveryTrace::derive_arrival(const DeliveryEvent& event,
                                   const Attempt& attempt,
                                   Applied& applied) {
  const auto delay = parse_delay(attempt.delay);
  const std::optional<std::uint32_t> node = find_node(event.queue_id);
  if (arrival_given_ || !delay || node != std::optional<std::uint32_t>(0)) {
    return;
  }
  const TimePoint arrival = to_seconds(event.at - *delay);
  // Otherwise the first line of the log is as good.
  if (!arrival_ || arrival < *arrival_ - Seconds(1)) {
    arrival_ = arrival;
    applied.altered = true;
  }
}

// A message with the same Message-Id that came in while this one was handed over may be what was
// handed over. It is, for the recipients that it turns out to have.
void DeliveryTrace::note_returns(const DeliveryEvent& event,
                                 const Attempt& attempt,
                                 std::uint32_t index,
                                 const Evidence& evidence,
                                 Applied& applied) {
  Slot& slot = slots_[index];
  const std::uint32_t parent = slot.node;
  const LogTime since = handed_over_since(event.at, attempt);
  for (const std::uint32_t child : nodes_[parent].filtered) {
    if (nodes_[child].at >= since) {
      slot.returns.push_back(child);
    }
  }
  const std::uint64_t message_id = nodes_[parent].message_id;
  if (message_id == 0) {
    return;
  }
  if (slot.pipe) {
    applied.expected = message_id;
  }
  for (const trace::Reception& came :
       evidence.received_again(message_id, nodes_[parent].space.any_instance())) {
    if (came.at < since || came.queue_id == event.queue_id) {
      continue;
    }
    if (came.of != nullptr && came.of != this) {
      // The reception belongs to another tracked message. If that has the recipient too, the case
      // is undecided.
      if (slot.last == Last::delivered && came.of->find_recipient(slot.target)) {
        slot.last = Last::unknown;
      }
      continue;
    }
    if (!find_node(came.queue_id)) {
      offer(came, parent, applied);
    }
    const std::optional<std::uint32_t> child = find_node(came.queue_id);
    if (child && is_weak(nodes_[*child].link) && nodes_[*child].parent == parent) {
      slot.returns.push_back(*child);
    }
  }
}

// Joins a message that sendmail(1) left after the line of pipe(8), by its Message-Id.
void DeliveryTrace::join_returned(const DeliveryEvent& event,
                                  std::uint64_t message_id,
                                  const QueueSpace& space,
                                  const Evidence& evidence,
                                  Applied& applied) {
  const auto came = evidence.received_here(event.queue_id, space);
  if (message_id == 0 || !came || !came->picked_up) {
    return;
  }
  for (Slot& slot : slots_) {
    const Node& node = nodes_[slot.node];
    if (!slot.pipe || !slot.maybe_filter || slot.child != kNone || node.message_id != message_id ||
        !node.space.same_host(space) || came->at + slack_of(came->at, {}) < LogTime(slot.at) ||
        came->at - slot.at > kPickupDelay) {
      continue;
    }
    if (!find_node(event.queue_id)) {
      offer(*came, slot.node, applied);
    }
    const std::optional<std::uint32_t> child = find_node(event.queue_id);
    if (child && nodes_[*child].parent == slot.node) {
      slot.returns.push_back(*child);
      affected(slot.node, slot.key, applied.changed);
      applied.altered = true;
    }
  }
}

void DeliveryTrace::offer(const trace::Reception& came, std::uint32_t parent, Applied& applied) {
  if (nodes_.size() >= kMostNodes) {
    return;
  }
  const Link link = came.picked_up ? Link::picked_up : Link::returned;
  const std::uint32_t child = add_node(came.queue_id, link, parent, kNone, came.space);
  if (child != kNone) {
    nodes_[child].at = came.at;
    applied.offered.push_back(came.queue_id);
  }
}

// A node has one more recipient: doubts about the recipients of its parent may be resolved.
void DeliveryTrace::note_slot(std::uint32_t index, std::string_view key, Applied& applied) {
  Node& node = nodes_[index];
  if (node.link == Link::filtered || is_weak(node.link)) {
    affected_all(index, applied.changed);
  }
  if (!is_weak(node.link) || node.bound) {
    return;
  }
  const bool ours = std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.target == key &&
           std::find(slot.returns.begin(), slot.returns.end(), index) != slot.returns.end();
  });
  if (ours) {
    node.bound = true;
    applied.joined.push_back(node.ids[0]);
  }
}

// Follows status=sent (… queued as ID): if ID is a re-injection of this message, it continues
// there. The text alone is only a claim of the other host.
void DeliveryTrace::follow_filter(std::uint32_t index,
                                  const Attempt& attempt,
                                  bool by_id,
                                  bool configured,
                                  const Evidence& evidence,
                                  Applied& applied) {
  Slot& slot = slots_[index];
  slot.queued_as = attempt.queued_as;
  if (const auto known = find_node(attempt.queued_as)) {
    if (nodes_[*known].link == Link::filtered && nodes_[*known].parent == slot.node) {
      slot.child = *known;
    }
    return;
  }
  const std::uint64_t message_id = nodes_[slot.node].message_id;
  const auto came =
      evidence.received_here(attempt.queued_as, nodes_[slot.node].space.any_instance());
  const bool same = came && message_id != 0 && came->message_id == message_id;
  if (came && (configured || (by_id && same))) {
    const std::uint32_t child =
        add_node(attempt.queued_as, Link::filtered, slot.node, kNone, came->space);
    if (child != kNone) {
      slots_[index].child = child;
      applied.joined.emplace_back(attempt.queued_as);
    }
  }
}

bool DeliveryTrace::has(std::string_view queue_id, const QueueSpace& space) const {
  if (sendmail_) {
    return nodes_[0].space.same_host(space) && sendmail_->has(queue_id);
  }
  const std::optional<std::uint32_t> node = find_node(queue_id);
  return node && !nodes_[*node].closed && nodes_[*node].space.same_queue(space);
}

QueueSpace DeliveryTrace::space_of(std::string_view queue_id) const {
  const std::optional<std::uint32_t> node = find_node(queue_id);
  return nodes_[node.value_or(0)].space;
}

std::vector<std::string> DeliveryTrace::queue_ids() const {
  if (sendmail_) {
    return sendmail_->queue_ids();
  }
  std::vector<std::string> ids;
  for (const Node& node : nodes_) {
    ids.insert(ids.end(), node.ids.begin(), node.ids.end());
  }
  return ids;
}

// A child that was linked, but has no line, may be gone for a long time.
bool DeliveryTrace::queued() const {
  if (sendmail_) {
    return sendmail_->queued(recipients_);
  }
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if ((node.link == Link::root || node.seen) && !node.removed && !node.refused &&
        (!is_weak(node.link) || is_followed(i))) {
      return true;
    }
  }
  return false;
}

bool DeliveryTrace::seen() const {
  return sendmail_ ? sendmail_->seen() : nodes_[0].seen;
}

bool DeliveryTrace::confirmed() const {
  return sendmail_ ? sendmail_->confirmed() : nodes_[0].alive;
}

bool DeliveryTrace::refused() const {
  return sendmail_ ? sendmail_->refused() : nodes_[0].refused;
}

}  // namespace mtrk::maillog
