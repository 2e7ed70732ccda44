#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/delivery_trace.h"

#include <algorithm>

// This file turns nodes and slots into an Outcome: it follows the recipient's one way to its end.
namespace mtrk::maillog {

using trace::kNone;
using trace::Last;
using trace::Link;
using trace::Node;
using trace::Slot;

namespace {

constexpr EnhancedStatus kExpanded{2, 1, 5};
constexpr EnhancedStatus kExpired{4, 4, 7};  // RFC 3463: delivery time expired

std::optional<MtaName> dns_name(const std::string& name) {
  return name.empty() ? std::nullopt : std::optional(MtaName{"dns", name});
}

// Returns the action of a recipient that left this host or was delivered on it.
Action action_of(Last last) {
  switch (last) {
    case Last::delivered:
    case Last::discarded:  // this is what Postfix itself reports to the sender
      return Action::delivered;
    case Last::relayed:
      return Action::relayed;
    case Last::transferred:
      return Action::transferred;
    case Last::deferred:
    case Last::bounced:
    case Last::forwarded:
    case Last::unknown:
      break;
  }
  return Action::opaque;
}

// Resolves a recipient of a node that has no line about it.
void resolve_untried(const Node& node, Action& action, EnhancedStatus& status) {
  if (node.gave_up) {
    action = Action::failed;
    status = kExpired;
  } else if (node.removed) {
    action = Action::opaque;
  }
}

}  // namespace

void DeliveryTrace::resolve(std::uint32_t index, std::string_view key, Fate& fate) const {
  const Node& node = nodes_[index];
  std::optional<std::uint32_t> slot = find_any_spelling(index, key);
  if (!slot && node.link == Link::filtered && node.recipients == 1) {
    // The filter rewrote the only address.
    const auto only = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const Slot& other) { return other.node == index; });
    if (only != slots_.end()) {
      slot = static_cast<std::uint32_t>(only - slots_.begin());
    }
  }
  // After a requeue, only the open recipients continue under the new id.
  const bool ended = slot && trace::is_final(slots_[*slot].last);
  const std::size_t followed = ended ? slots_[*slot].id + std::size_t{1} : node.ids.size();
  fate.via.insert(fate.via.end(), node.ids.begin(),
                  node.ids.begin() + static_cast<std::ptrdiff_t>(followed));
  if (slot) {
    resolve_slot(slots_[*slot], fate);
  } else {
    resolve_untried(node, fate.action, fate.status);
    fate.held = node.held;
  }
}

void DeliveryTrace::resolve_slot(const Slot& slot, Fate& fate) const {
  if (slot.several) {
    fate.action = Action::expanded;
    fate.status = kExpanded;
    fate.last_attempt = slot.at;
    return;
  }
  fate.redirected = fate.redirected || is_redirected(slot);
  resolve_last(slot, fate);
  if (slot.wait != trace::Wait::none && fate.action != Action::expanded) {
    if (fate.action != Action::delayed) {
      fate.status = EnhancedStatus{4, 0, 0};
      fate.last_attempt.reset();
      fate.remote_mta.clear();
      fate.end = trace::End::awaited;
    }
    fate.action = Action::delayed;
  }
}

void DeliveryTrace::resolve_last(const Slot& slot, Fate& fate) const {
  const Node& node = nodes_[slot.node];
  fate.status = slot.status;
  fate.last_attempt = slot.at;
  fate.remote_mta = slot.remote_mta;
  switch (slot.last) {
    case Last::deferred:
      if (node.gave_up) {
        fate.action = Action::failed;
      } else if (node.removed) {
        fate.action = Action::opaque;
      } else {
        fate.action = Action::delayed;
        fate.held = node.held;
      }
      return;
    case Last::bounced:
      fate.action = Action::failed;
      return;
    case Last::forwarded:
      fate.redirected = true;
      resolve_forwarded(slot.child, fate);
      return;
    case Last::discarded:
      fate.end = trace::End::discarded;
      break;
    case Last::delivered:
    case Last::relayed:
    case Last::unknown:
    case Last::transferred:
      break;
  }
  fate.handed_back = fate.handed_back || !slot.returns.empty();
  std::optional<std::uint32_t> child = filter_child(slot);
  const Return back = child ? Return{} : returned(slot);
  child = child ? child : back.child;
  if (child || back.open) {
    fate.last_attempt.reset();  // handing it to the filter does not count as an attempt
    fate.remote_mta.clear();
    fate.action = Action::delayed;
    fate.status = EnhancedStatus{4, 0, 0};
  }
  if (child) {
    resolve(*child, slot.target, fate);
  } else if (back.open) {
    fate.via.push_back(nodes_[back.last].ids[0]);
  } else if (back.doubtful && slot.last != Last::relayed) {
    fate.action = Action::opaque;
    fate.end = trace::End::doubtful;
  } else {
    fate.action = action_of(slot.last);
    if (slot.filter) {
      fate.end = trace::End::filter;
    } else if (slot.last == Last::unknown && slot.maybe_filter) {
      fate.end = trace::End::doubtful;
    }
  }
}

// Mail that comes back continues in the new node for the recipients that it has. For the others: a
// filter says for whom it works (orig_queue_id=) or uses sendmail(1), and what it keeps is not
// delivered. A mailbox server may hand in a redirected copy over SMTP, and has accepted the message
// nevertheless.
DeliveryTrace::Return DeliveryTrace::returned(const Slot& slot) const {
  Return result;
  bool twice = false;
  for (const std::uint32_t index : slot.returns) {
    const Node& node = nodes_[index];
    if (node.refused) {
      continue;
    }
    if (find_any_spelling(index, slot.target)) {
      twice = result.child.has_value();
      result.child = index;
      continue;
    }
    const bool over = node.removed || node.gave_up || node.closed ||
                      (node.recipients != 0 && node.slots >= node.recipients);
    if (!over) {
      result.open = true;
      result.last = index;
    } else if (node.link == Link::filtered || (slot.pipe && node.link == Link::picked_up)) {
      result.doubtful = true;
    }
  }
  if (twice) {
    result = Return{std::nullopt, false, true, kNone};
  }
  return result;
}

bool DeliveryTrace::is_followed(std::uint32_t node) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return std::find(slot.returns.begin(), slot.returns.end(), node) != slot.returns.end() &&
           find_any_spelling(node, slot.target).has_value();
  });
}

// Everything in the child belongs to the recipient; if that is more than one address, the recipient
// is a list.
void DeliveryTrace::resolve_forwarded(std::uint32_t child, Fate& fate) const {
  fate.remote_mta.clear();
  if (child == kNone) {
    fate.action = Action::opaque;
    return;
  }
  if (nodes_[child].recipients > 1) {
    fate.action = Action::expanded;
    fate.status = kExpanded;
    fate.via.push_back(nodes_[child].ids[0]);
    return;
  }
  fate.last_attempt.reset();
  fate.action = Action::delayed;
  fate.status = EnhancedStatus{4, 0, 0};
  resolve(child, "", fate);
}

// Returns the node that continues the slot after a filter: the one that the reply names or, if the
// reply names none, the only re-injection that has the slot's target.
std::optional<std::uint32_t> DeliveryTrace::filter_child(const Slot& slot) const {
  if (slot.child != kNone) {
    return slot.child;
  }
  if (!slot.maybe_filter) {
    return std::nullopt;
  }
  const std::vector<std::uint32_t>& children = nodes_[slot.node].filtered;
  const auto child = std::find_if(children.begin(), children.end(), [&](std::uint32_t index) {
    return find_any_spelling(index, slot.target).has_value();
  });
  return child == children.end() ? std::nullopt : std::optional(*child);
}

DeliveryTrace::Fate DeliveryTrace::fate_of(std::size_t recipient) const {
  if (sendmail_) {
    return sendmail_->fate(recipients_[recipient]);
  }
  Fate fate;
  resolve(0, key_of(recipients_[recipient]), fate);
  return fate;
}

Outcome DeliveryTrace::outcome(std::size_t recipient, const TracePolicy& policy) const {
  const Fate fate = fate_of(recipient);
  std::optional<LastAttempt> last_attempt;
  if (fate.last_attempt) {
    last_attempt = LastAttempt{*fate.last_attempt, dns_name(fate.remote_mta)};
  }
  const TimePoint at = fate.last_attempt.value_or(TimePoint{});
  const auto success = [&] {
    return SuccessStatus::make(fate.status).value_or(*SuccessStatus::make({2, 0, 0}));
  };
  switch (fate.action) {
    case Action::delayed: {
      // Mail on hold is neither tried nor expired, so there is no such time.
      const std::optional<TimePoint> until =
          arrival_ && !fate.held ? std::optional(*arrival_ + policy.queue_lifetime) : std::nullopt;
      if (!last_attempt) {
        return never_tried(until);
      }
      const TransientStatus status =
          TransientStatus::make(fate.status).value_or(*TransientStatus::make({4, 0, 0}));
      return Delayed{status, last_attempt, until};
    }
    case Action::failed:
      return Failed{FailureStatus::make(fate.status).value_or(*FailureStatus::make({5, 0, 0})),
                    last_attempt};
    case Action::delivered:
      return Delivered{success(), LastAttempt{at, dns_name(fate.remote_mta)}};
    case Action::expanded:
      return Expanded{success(), at};
    case Action::relayed:
      return Relayed{LastAttempt{at, dns_name(fate.remote_mta)}};
    case Action::transferred:
      return Transferred{success(), at, MtaName{"dns", fate.remote_mta}};
    case Action::opaque:
      break;
  }
  return Opaque{};
}

bool DeliveryTrace::redirected(std::size_t recipient) const {
  const Fate fate = fate_of(recipient);
  return fate.redirected && fate.action != Action::expanded;
}

std::optional<std::size_t> DeliveryTrace::find_redirected(std::string_view address) const {
  if (!sendmail_) {
    return std::nullopt;
  }
  const std::string key = match_key(address);
  const auto found =
      std::find_if(recipients_.begin(), recipients_.end(), [&](const std::string& recipient) {
        const SendmailTrace::Redirected to = sendmail_->redirected(recipient);
        return to.targets == Targets::one && match_key(to.target) == key;
      });
  return found == recipients_.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - recipients_.begin()));
}

DeliveryTrace::Targets DeliveryTrace::targets(std::size_t recipient) const {
  const auto by_count = [](std::size_t addresses, std::size_t expected) {
    if (addresses == 0) {
      return Targets::unknown;
    }
    return addresses > expected ? Targets::several : Targets::one;
  };
  if (sendmail_) {
    return sendmail_->redirected(recipients_[recipient]).targets;
  }
  // Virtual aliases are expanded before the message enters the queue.
  const Targets whole = by_count(nodes_[0].recipients, distinct_);
  const auto slot = find_any_spelling(0, key_of(recipients_[recipient]));
  if (whole != Targets::one || !slot) {
    return whole;
  }
  if (slots_[*slot].several) {
    return Targets::several;
  }
  if (slots_[*slot].last != Last::forwarded) {
    return Targets::one;
  }
  const std::uint32_t child = slots_[*slot].child;
  return by_count(child == kNone ? 0 : nodes_[child].recipients, 1);
}

bool DeliveryTrace::declined(std::size_t recipient) const {
  return sendmail_ && sendmail_->declined(recipients_[recipient]);
}

trace::End DeliveryTrace::end(std::size_t recipient) const {
  return fate_of(recipient).end;
}

bool DeliveryTrace::handed_back(std::size_t recipient) const {
  return fate_of(recipient).handed_back;
}

bool DeliveryTrace::held(std::size_t recipient) const {
  const Fate fate = fate_of(recipient);
  return fate.held && fate.action == Action::delayed;
}

std::string DeliveryTrace::handed_on_as(std::size_t recipient) const {
  if (sendmail_) {
    return {};
  }
  const auto slot = find_any_spelling(0, key_of(recipients_[recipient]));
  const bool last = slot && slots_[*slot].last == Last::relayed && slots_[*slot].child == kNone;
  return last ? slots_[*slot].queued_as : std::string();
}

trace::Basis DeliveryTrace::basis(std::size_t recipient) const {
  return fate_of(recipient).basis;
}

std::vector<std::string> DeliveryTrace::via(std::size_t recipient) const {
  return fate_of(recipient).via;
}

}  // namespace mtrk::maillog
