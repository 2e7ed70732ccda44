#include "common/base/codec.h"
#include "common/maillog/delivery_trace.h"
#include "common/maillog/trace_fields.h"

#include <algorithm>

// This file has the form in which the store keeps a trace. The version comes first. Everything is
// checked on the way in, so that an accepted record cannot make the trace read outside of itself.
namespace mtrk::maillog {
namespace {

using trace::kNone;
using trace::Last;
using trace::Link;
using trace::Node;
using trace::Slot;
using trace::Wait;

// This is the version that is written. Octet two says whether a SendmailTrace follows.
constexpr std::uint8_t kVersion = 4;
// This is the first version with a SendmailTrace. Version 1, without one, is read as well; neither
// has Node::space. Version 3 has it, but no further targets (Node::members, Slot::wait).
constexpr std::uint8_t kFirstSendmailVersion = 2;
constexpr std::uint8_t kSpaceVersion = 3;

enum NodeFlag : std::uint8_t {
  kSeen = 1,
  kAlive = 2,
  kGaveUp = 4,
  kRemoved = 8,
  kRefused = 16,
  kClosed = 32,
  kSpaceKnown = 64,  // its three numbers follow
  kHeld = 128,
};
enum SlotFlag : std::uint8_t {
  kSeveral = 1,
  kLocal = 2,
  kMaybeFilter = 4,
  kFilter = 8,
  kPipe = 16,
  kReturns = 32,  // their list follows
};
constexpr unsigned kWaitShift = 6;  // The two bits above the flags are Slot::wait.

bool is_child_of_filter(Link link) {
  return link == Link::filtered || is_weak(link);
}

std::uint8_t flag(bool set, std::uint8_t bit) {
  return set ? bit : std::uint8_t{0};
}

bool is_known(const QueueSpace& space) {
  return !(space == QueueSpace());
}

// Writes a list of strings. Each takes at least one octet, so that the count cannot ask for more
// than there is.
void put_strings(std::string& out, const std::vector<std::string>& values) {
  put_varint(out, static_cast<std::uint32_t>(values.size()));
  for (const std::string& value : values) {
    put_text(out, value);
  }
}
bool get_strings(std::string_view& in, std::vector<std::string>& values) {
  std::uint32_t count = 0;
  if (!get_varint(in, count) || count > in.size()) {
    return false;
  }
  values.resize(count);
  for (std::string& value : values) {
    if (!get_string(in, value)) {
      return false;
    }
  }
  return true;
}

// Writes what is known of further targets. This takes one octet while there is nothing: three bits,
// one of which says that a time follows, and above them the number of members.
void put_members(std::string& out, const Node& node) {
  const bool active = node.active_at != LogTime::min();
  put_varint(out, static_cast<std::uint32_t>(node.members.size() << 3) | (node.put_off ? 4U : 0U) |
                      (active ? 2U : 0U) | (node.settled ? 1U : 0U));
  if (active) {
    put_u64(out, static_cast<std::uint64_t>(node.active_at.time_since_epoch().count()));
  }
  for (const trace::MemberHash member : node.members) {
    put_u64(out, member);
  }
}
bool get_members(std::string_view& in, Node& node) {
  std::uint32_t head = 0;
  if (!get_varint(in, head) || head >> 3 > in.size() / sizeof(trace::MemberHash)) {
    return false;
  }
  node.settled = (head & 1) != 0;
  node.put_off = (head & 4) != 0;
  std::uint64_t at = 0;
  if ((head & 2) != 0) {
    if (!get_u64(in, at)) {
      return false;
    }
    node.active_at = LogTime(LogTime::duration(static_cast<std::int64_t>(at)));
    if (node.active_at.time_since_epoch() >= kFarthestLog ||
        node.active_at.time_since_epoch() <= -kFarthestLog) {
      return false;
    }
  }
  node.members.resize(head >> 3);
  return std::all_of(node.members.begin(), node.members.end(),
                     [&in](trace::MemberHash& member) { return get_u64(in, member); }) &&
         std::is_sorted(node.members.begin(), node.members.end());
}

void put_node(std::string& out, const Node& node) {
  put_strings(out, node.ids);
  put_u8(out, static_cast<std::uint8_t>(node.link));
  put_u32(out, node.parent);
  put_u32(out, node.slot);
  put_u32(out, node.depth);
  put_u32(out, node.recipients);
  put_u64(out, node.message_id);
  put_u8(out, static_cast<std::uint8_t>(flag(node.seen, kSeen) | flag(node.alive, kAlive) |
                                        flag(node.gave_up, kGaveUp) | flag(node.removed, kRemoved) |
                                        flag(node.refused, kRefused) | flag(node.closed, kClosed) |
                                        flag(is_known(node.space), kSpaceKnown) |
                                        flag(node.held, kHeld)));
  if (is_known(node.space)) {
    put_u64(out, node.space.host);
    put_u64(out, node.space.domain);
    put_u64(out, node.space.instance);
  }
  if (is_child_of_filter(node.link)) {
    put_u64(out, static_cast<std::uint64_t>(node.at.time_since_epoch().count()));
  }
  put_members(out, node);
}
bool get_node(std::string_view& in, std::uint8_t version, Node& node) {
  std::uint8_t link = 0;
  std::uint8_t flags = 0;
  if (!get_strings(in, node.ids) || node.ids.empty() || !get_u8(in, link) ||
      link >
          static_cast<std::uint8_t>(version >= kSpaceVersion ? Link::picked_up : Link::filtered) ||
      !get_u32(in, node.parent) || !get_u32(in, node.slot) || !get_u32(in, node.depth) ||
      !get_u32(in, node.recipients) || !get_u64(in, node.message_id) || !get_u8(in, flags)) {
    return false;
  }
  node.link = static_cast<Link>(link);
  node.seen = (flags & kSeen) != 0;
  node.alive = (flags & kAlive) != 0;
  node.gave_up = (flags & kGaveUp) != 0;
  node.removed = (flags & kRemoved) != 0;
  node.refused = (flags & kRefused) != 0;
  node.closed = (flags & kClosed) != 0;
  const int all = kSeen | kAlive | kGaveUp | kRemoved | kRefused | kClosed |
                  (version >= kSpaceVersion ? kSpaceKnown | kHeld : 0);
  if ((flags & ~all) != 0) {
    return false;
  }
  node.held = (flags & kHeld) != 0;
  if ((flags & kSpaceKnown) != 0 &&
      (!get_u64(in, node.space.host) || !get_u64(in, node.space.domain) ||
       !get_u64(in, node.space.instance) || !is_known(node.space))) {
    return false;
  }
  if (version >= kSpaceVersion && is_child_of_filter(node.link)) {
    std::uint64_t at = 0;
    if (!get_u64(in, at)) {
      return false;
    }
    node.at = LogTime(LogTime::duration(static_cast<std::int64_t>(at)));
    if (node.at.time_since_epoch() >= kFarthestLog || node.at.time_since_epoch() <= -kFarthestLog) {
      return false;
    }
  }
  return version < kVersion || get_members(in, node);
}

void put_slot(std::string& out, const Slot& slot) {
  put_u32(out, slot.node);
  put_text(out, slot.key);
  put_text(out, slot.target);
  put_u8(out, static_cast<std::uint8_t>(flag(slot.several, kSeveral) | flag(slot.local, kLocal) |
                                        flag(slot.maybe_filter, kMaybeFilter) |
                                        flag(slot.filter, kFilter) | flag(slot.pipe, kPipe) |
                                        flag(!slot.returns.empty(), kReturns) |
                                        static_cast<unsigned>(slot.wait) << kWaitShift));
  put_u8(out, static_cast<std::uint8_t>(slot.last));
  put_u8(out, slot.status.status_class);
  put_u16(out, slot.status.subject);
  put_u16(out, slot.status.detail);
  put_time(out, slot.at);
  put_text(out, slot.remote_mta);
  put_u32(out, slot.id);
  put_u32(out, slot.child);
  put_text(out, slot.queued_as);
  put_u64(out, slot.text);
  for (const std::uint64_t line : slot.lines) {
    put_u64(out, line);
  }
  if (!slot.returns.empty()) {
    put_varint(out, static_cast<std::uint32_t>(slot.returns.size()));
    for (const std::uint32_t node : slot.returns) {
      put_u32(out, node);
    }
  }
}
bool get_returns(std::string_view& in, std::vector<std::uint32_t>& returns) {
  std::uint32_t count = 0;
  if (!get_varint(in, count) || count == 0 || count > in.size() / sizeof(std::uint32_t)) {
    return false;
  }
  returns.resize(count);
  return std::all_of(returns.begin(), returns.end(),
                     [&in](std::uint32_t& node) { return get_u32(in, node); });
}
bool get_slot(std::string_view& in, std::uint8_t version, Slot& slot) {
  const int all = kSeveral | kLocal | kMaybeFilter |
                  (version >= kSpaceVersion ? kFilter | kPipe | kReturns : 0) |
                  (version >= kVersion ? 3 << kWaitShift : 0);
  std::uint8_t flags = 0;
  std::uint8_t last = 0;
  if (!get_u32(in, slot.node) || !get_string(in, slot.key) || !get_string(in, slot.target) ||
      !get_u8(in, flags) || (flags & ~all) != 0 || !get_u8(in, last) ||
      last > static_cast<std::uint8_t>(version >= kSpaceVersion ? Last::discarded
                                                                : Last::transferred) ||
      !get_u8(in, slot.status.status_class) || !get_u16(in, slot.status.subject) ||
      !get_u16(in, slot.status.detail) || !get_time(in, slot.at) ||
      !get_string(in, slot.remote_mta) || !get_u32(in, slot.id) || !get_u32(in, slot.child) ||
      !get_string(in, slot.queued_as) || !get_u64(in, slot.text)) {
    return false;
  }
  for (std::uint64_t& line : slot.lines) {
    if (!get_u64(in, line)) {
      return false;
    }
  }
  slot.several = (flags & kSeveral) != 0;
  slot.local = (flags & kLocal) != 0;
  slot.maybe_filter = (flags & kMaybeFilter) != 0;
  slot.filter = (flags & kFilter) != 0;
  slot.pipe = (flags & kPipe) != 0;
  slot.wait = static_cast<Wait>(flags >> kWaitShift);
  slot.last = static_cast<Last>(last);
  return (flags & kReturns) == 0 || get_returns(in, slot.returns);
}

// Returns whether each parent comes before its children and is one hop nearer to the root, so that
// no walk can run in circles.
bool is_sound(const std::vector<Node>& nodes, const std::vector<Slot>& slots) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if ((i == 0) != (node.link == Link::root)) {
      return false;
    }
    if (i > 0 && (node.parent >= i || node.depth != nodes[node.parent].depth + 1)) {
      return false;
    }
    if (node.link == Link::forwarded &&
        (node.slot >= slots.size() || slots[node.slot].node != node.parent)) {
      return false;
    }
  }
  if (nodes[0].depth != 0) {
    return false;
  }
  for (const Slot& slot : slots) {
    if (slot.node >= nodes.size() || slot.id >= nodes[slot.node].ids.size()) {
      return false;
    }
    if (slot.child != kNone &&
        (slot.child >= nodes.size() || nodes[slot.child].parent != slot.node)) {
      return false;
    }
    for (const std::uint32_t node : slot.returns) {
      if (node >= nodes.size() || nodes[node].parent != slot.node ||
          !is_child_of_filter(nodes[node].link)) {
        return false;
      }
    }
  }
  return true;
}

// No entry in a list of nodes or slots is shorter than this many octets.
constexpr std::size_t kLeastOctets = 16;

}  // namespace

void DeliveryTrace::encode(std::string& out) const {
  put_u8(out, kVersion);
  put_u8(out, sendmail_ ? 1 : 0);
  put_u8(out, mode_ == Recipients::collect ? 1 : 0);
  put_u8(out, arrival_ ? 1 : 0);
  put_time(out, arrival_.value_or(TimePoint{}));
  put_strings(out, recipients_);
  put_varint(out, static_cast<std::uint32_t>(nodes_.size()));
  for (const Node& node : nodes_) {
    put_node(out, node);
  }
  put_varint(out, static_cast<std::uint32_t>(slots_.size()));
  for (const Slot& slot : slots_) {
    put_slot(out, slot);
  }
  if (sendmail_) {
    sendmail_->encode(out);
  }
}

Expected<DeliveryTrace> DeliveryTrace::decode(std::string_view& in) {
  const auto corrupt = [] { return fail(ErrorCode::corrupt, "delivery trace"); };
  DeliveryTrace result;
  std::uint8_t version = 0;
  if (!get_u8(in, version)) {
    return corrupt();
  }
  if (version == 0 || version > kVersion) {
    return fail(ErrorCode::unsupported, "delivery trace of version " + std::to_string(version));
  }
  std::uint8_t has_sendmail = version == kFirstSendmailVersion ? 1 : 0;
  if (version >= kSpaceVersion && (!get_u8(in, has_sendmail) || has_sendmail > 1)) {
    return corrupt();
  }
  std::uint8_t mode = 0;
  std::uint8_t has_arrival = 0;
  TimePoint arrival;
  std::uint32_t count = 0;
  if (!get_u8(in, mode) || mode > 1 || !get_u8(in, has_arrival) || has_arrival > 1 ||
      !get_time(in, arrival) || !get_strings(in, result.recipients_) || !get_varint(in, count) ||
      count == 0 || count > in.size() / kLeastOctets) {
    return corrupt();
  }
  result.mode_ = mode == 1 ? Recipients::collect : Recipients::captured;
  if (has_arrival == 1) {
    result.arrival_ = arrival;
    result.arrival_given_ = true;
  }
  result.nodes_.resize(count);
  for (Node& node : result.nodes_) {
    if (!get_node(in, version, node)) {
      return corrupt();
    }
  }
  if (!get_varint(in, count) || count > in.size() / kLeastOctets) {
    return corrupt();
  }
  result.slots_.resize(count);
  for (Slot& slot : result.slots_) {
    if (!get_slot(in, version, slot)) {
      return corrupt();
    }
  }
  if (!is_sound(result.nodes_, result.slots_)) {
    return corrupt();
  }
  result.index_all();
  if (has_sendmail == 1) {
    result.sendmail_ = SendmailTrace::decode(in, result.recipients_);
    if (!result.sendmail_ || result.sendmail_->root() != result.root()) {
      return corrupt();
    }
  }
  return result;
}

}  // namespace mtrk::maillog
