#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/delivery_trace.h"
#include "common/maillog/stable_hash.h"

#include <algorithm>

// This file decides whether a recipient may have further targets than the one that the log names.
// An alias with several targets is expanded, and no member's fate is its own. But the members are
// logged one after the other, and what is reported of the recipient between two of their lines must
// still be true afterwards.
//
// The queue manager logs how many recipients the queue file has (nrcpt=). These are the addresses
// given at RCPT after cleanup(8) has expanded its aliases, each with the address that it was given
// as, plus those that were added (always_bcc, a milter), and also those that a milter removed. Each
// has a line of its own in the first pass over the message, whether it was delivered or put off,
// and each recipient given has at least one. So the file has as many further targets as nrcpt=
// exceeds the number of addresses given. Until they were logged, any address with one target may be
// an alias with more, and its end is not reported. If not all addresses given are known (mtrkctl
// explain, after a filter), those count that have a line or were asked for, and only recipients
// that were sent on to another address wait.
//
// local(8) expands aliases of its own, as one recipient of the queue file, and logs all of their
// targets, but not their number. It may pass them to lmtp(8) or pipe(8), which then log them. It is
// done with the alias by the end of the pass. mtrkctl does not wait for that, because the lines
// come together and a log may lack its end.
//
// A pass ends when the message leaves the queue, is requeued, or becomes active again after a
// recipient was put off: the queue manager defers a message only after it is done with all
// recipients. (It also makes the message active once more when it was restarted in between.)
namespace mtrk::maillog {

using trace::Link;
using trace::MemberHash;
using trace::Node;
using trace::Slot;
using trace::Wait;

namespace {

// More members are not counted: then the end of the pass decides.
constexpr std::size_t kMostMembers = 256;

// local(8) logged this member and another one of the same address. The two may be one recipient of
// the queue file, which is an alias of its own.
constexpr MemberHash kDoubtful = 1;

MemberHash member_hash(std::string_view given, std::string_view target) {
  constexpr MemberHash kHigh = MemberHash{0xFFFFFFFF} << 32;
  return (stable_hash(given) & kHigh) | ((stable_hash(target) >> 32) & ~kDoubtful);
}

// Returns whether the key only lacks our domain: "root" that is given without a domain and logged
// with ours is no redirection.
bool is_completed(const std::string& key, const std::string& target) {
  return key.find('@') == std::string::npos && target.size() > key.size() &&
         target.compare(0, key.size(), key) == 0 && target[key.size()] == '@';
}

}  // namespace

bool DeliveryTrace::is_redirected(const Slot& slot) {
  return !slot.key.empty() && !iequals(slot.target, slot.key) &&
         !is_completed(slot.key, slot.target);
}

// Returns how many recipients the queue file has at least: one for each address known to be in it.
// Several spellings of one address may be one recipient, which slots with a longer wait do not take
// for granted.
std::uint32_t DeliveryTrace::addresses_in(const Node& node, Wait wait) const {
  if (node.link != Link::root) {
    return node.slots;
  }
  return std::max(wait == Wait::lines ? distinct_ : addresses_, node.slots);
}

// Returns whether an address with one target may turn out to have more, as far as it concerns a
// slot with this wait.
bool DeliveryTrace::may_grow(const Node& node, Wait wait) const {
  std::size_t members = node.members.size();
  if (wait == Wait::members) {
    members = static_cast<std::size_t>(
        std::count_if(node.members.begin(), node.members.end(),
                      [](MemberHash member) { return (member & kDoubtful) == 0; }));
  } else if (members >= kMostMembers) {
    return false;
  }
  return !node.settled && node.recipients > addresses_in(node, wait) + members;
}

// A recipient of the queue file has its line: it counts unless it is the first of its address.
void DeliveryTrace::note_member(std::uint32_t index,
                                const Attempt& attempt,
                                bool local,
                                Applied& applied) {
  Node& node = nodes_[index];
  if (!may_grow(node, Wait::members) || node.link == Link::forwarded) {
    return;
  }
  const std::string target = key_of(attempt.recipient);
  const std::string given = attempt.original.empty() ? target : key_of(attempt.original);
  const std::optional<std::uint32_t> slot = find_slot(index, given);
  const bool ours = node.link != Link::root || mode_ == Recipients::collect ||
                    recipient_index_.find(to_lower(given)) != recipient_index_.end();
  if (slot ? slots_[*slot].target == target : ours) {
    return;
  }
  MemberHash member = member_hash(given, target);
  const auto place = std::lower_bound(node.members.begin(), node.members.end(), member);
  if ((place != node.members.end() && (*place & ~kDoubtful) == member) ||
      node.members.size() >= kMostMembers) {
    return;
  }
  const bool has_others =
      slot ? slots_[*slot].local
           : std::any_of(node.members.begin(), node.members.end(),
                         [&](MemberHash other) { return other >> 32 == member >> 32; });
  member |= local && has_others ? kDoubtful : 0;
  node.members.insert(place, member);
  applied.altered = true;
}

void DeliveryTrace::set_wait(Slot& slot, Wait wait) {
  Node& node = nodes_[slot.node];
  --node.waiting[static_cast<std::size_t>(slot.wait)];
  ++node.waiting[static_cast<std::size_t>(wait)];
  slot.wait = wait;
}

// The slot has a new last line.
void DeliveryTrace::note_wait(std::uint32_t index, bool local) {
  Slot& slot = slots_[index];
  const Node& node = nodes_[slot.node];
  const bool captured = mode_ == Recipients::captured;
  // In a node that local(8) made for a slot of another node, everything is redirected.
  const bool redirected = node.link == Link::forwarded || is_redirected(slot);
  Wait wait = Wait::none;
  if (slot.several || !trace::is_final(slot.last) || node.removed || node.refused ||
      node.recipients == 0) {
    // There is nothing to wait for, or nothing would show when to stop.
  } else if (captured && local && redirected && slot.last != trace::Last::forwarded) {
    wait = Wait::pass;
  } else if (redirected && node.link != Link::forwarded && may_grow(node, Wait::members)) {
    wait = Wait::members;
  } else if (captured && node.link == Link::root && may_grow(node, Wait::lines)) {
    wait = Wait::lines;
  }
  set_wait(slot, wait);
}

void DeliveryTrace::settle_if_all_seen(std::uint32_t index, Applied& applied) {
  Node& node = nodes_[index];
  if (node.settled || node.recipients == 0) {
    return;
  }
  const auto waiting = [&node](Wait wait) { return node.waiting[static_cast<std::size_t>(wait)]; };
  if (waiting(Wait::lines) != 0 && !may_grow(node, Wait::lines)) {
    end_waits(index, Wait::lines, applied);
  }
  if (waiting(Wait::members) != 0 && !may_grow(node, Wait::members)) {
    end_waits(index, Wait::members, applied);
  }
  // No slot waits, and each address has had its line: later lines do not matter.
  const bool over = waiting(Wait::lines) == 0 && waiting(Wait::members) == 0 &&
                    node.slots >= addresses_in(node, Wait::lines);
  if (!node.members.empty() && (over || !may_grow(node, Wait::members))) {
    node.settled = true;
    node.members = {};
    applied.altered = true;
  }
}

void DeliveryTrace::note_active(std::uint32_t index, LogTime at, Applied& applied) {
  Node& node = nodes_[index];
  if (at <= node.active_at) {  // it is the same line again
    return;
  }
  if (node.put_off) {  // otherwise the queue manager was restarted in the middle of a pass
    end_pass(index, applied);
  }
  node.put_off = false;
  node.active_at = at;
  applied.altered = true;
}

void DeliveryTrace::note_requeue(std::uint32_t index, Applied& applied) {
  // Otherwise it was on hold, and nothing was tried.
  if (nodes_[index].active_at != LogTime::min()) {
    end_pass(index, applied);
  }
}

// The queue manager is done with all recipients.
void DeliveryTrace::end_pass(std::uint32_t index, Applied& applied) {
  Node& node = nodes_[index];
  if (!node.settled) {
    node.settled = true;
    node.members = {};
    applied.altered = true;
  }
  end_waits(index, Wait::pass, applied);
}

// The slots that waited no longer than `longest` have their end.
void DeliveryTrace::end_waits(std::uint32_t index, Wait longest, Applied& applied) {
  const auto last = nodes_[index].waiting.begin() + static_cast<std::ptrdiff_t>(longest) + 1;
  if (std::all_of(nodes_[index].waiting.begin() + 1, last, [](auto count) { return count == 0; })) {
    return;
  }
  for (Slot& slot : slots_) {
    if (slot.node == index && slot.wait != Wait::none && slot.wait <= longest) {
      set_wait(slot, Wait::none);
      affected(index, slot.key, applied.changed);
      applied.altered = true;
    }
  }
}

}  // namespace mtrk::maillog
