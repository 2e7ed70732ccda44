#include "common/maillog/trace_graph.h"

#include "common/maillog/attempt_meaning.h"
#include "common/maillog/delivery_trace.h"

#include <algorithm>
#include <numeric>

// This file finds and adds nodes and slots, and finds the recipients that they concern.
namespace mtrk::maillog {

using trace::kNone;
using trace::Link;
using trace::Node;
using trace::Slot;
using trace::slot_name;

namespace {

bool may_return_as(const trace::Slot& slot, std::uint32_t node) {
  return std::find(slot.returns.begin(), slot.returns.end(), node) != slot.returns.end();
}

// Postfix gives up at hopcount_limit (50), so a longer chain is not real.
constexpr std::uint32_t kMaxDepth = 50;

}  // namespace

// Makes the indexes, and Node::filtered, from what is kept.
void DeliveryTrace::index_all() {
  for (std::uint32_t i = 0; i < recipients_.size(); ++i) {
    index_recipient(i);
  }
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    for (const std::string& id : nodes_[i].ids) {
      node_index_.emplace(id, i);
    }
    if (nodes_[i].link == Link::filtered) {
      nodes_[nodes_[i].parent].filtered.push_back(i);
    }
  }
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    slot_index_.emplace(slot_name(slots_[i].node, slots_[i].key), i);
    ++nodes_[slots_[i].node].slots;
    ++nodes_[slots_[i].node].waiting[static_cast<std::size_t>(slots_[i].wait)];
    static_cast<void>(note_spelling(i));
    if (slots_[i].target != slots_[i].key) {
      target_index_.emplace(slot_name(slots_[i].node, slots_[i].target), i);
    }
  }
}

std::optional<std::size_t> DeliveryTrace::find_recipient(std::string_view address) const {
  const auto [begin, end] = recipient_index_.equal_range(match_key(address));
  std::optional<std::size_t> any;
  for (auto it = begin; it != end; ++it) {
    if (recipients_[it->second] == address) {
      return it->second;
    }
    any = it->second;
  }
  return any;
}

std::optional<std::uint32_t> DeliveryTrace::find_node(std::string_view queue_id) const {
  const auto it = node_index_.find(std::string(queue_id));
  return it == node_index_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::uint32_t> DeliveryTrace::find_slot(std::uint32_t node,
                                                      std::string_view key) const {
  const auto it = slot_index_.find(slot_name(node, key));
  return it == slot_index_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<std::uint32_t> DeliveryTrace::find_target(std::uint32_t node,
                                                        std::string_view target) const {
  const auto it = target_index_.find(slot_name(node, target));
  return it == target_index_.end() ? std::nullopt : std::optional(it->second);
}

// Returns kNone if the chain is too long to be real.
std::uint32_t DeliveryTrace::add_node(std::string_view queue_id,
                                      Link link,
                                      std::uint32_t parent,
                                      std::uint32_t slot,
                                      const QueueSpace& space) {
  if (nodes_[parent].depth >= kMaxDepth) {
    return kNone;
  }
  const std::uint32_t index = static_cast<std::uint32_t>(nodes_.size());
  Node node;
  node.ids.emplace_back(queue_id);
  node.link = link;
  node.parent = parent;
  node.slot = slot;
  node.depth = nodes_[parent].depth + 1;
  node.space = space;
  nodes_.push_back(std::move(node));
  node_index_.emplace(queue_id, index);
  if (link == Link::filtered) {
    nodes_[parent].filtered.push_back(index);
  }
  return index;
}

std::uint32_t DeliveryTrace::add_slot(std::uint32_t node, std::string key, std::string target) {
  const std::uint32_t index = static_cast<std::uint32_t>(slots_.size());
  slot_index_.emplace(slot_name(node, key), index);
  Slot slot;
  slot.node = node;
  slot.key = std::move(key);
  slot.target = slot.key;
  slots_.push_back(std::move(slot));
  ++nodes_[node].slots;
  ++nodes_[node].waiting[static_cast<std::size_t>(trace::Wait::none)];
  set_target(index, std::move(target));
  return index;
}

void DeliveryTrace::set_target(std::uint32_t index, std::string target) {
  Slot& slot = slots_[index];
  if (slot.target != slot.key) {
    const auto [begin, end] = target_index_.equal_range(slot_name(slot.node, slot.target));
    const auto old = std::find_if(begin, end, [&](const auto& row) { return row.second == index; });
    if (old != end) {
      target_index_.erase(old);
    }
  }
  slot.target = std::move(target);
  if (slot.target != slot.key) {
    target_index_.emplace(slot_name(slot.node, slot.target), index);
  }
}

void DeliveryTrace::add_recipient(std::string address) {
  recipients_.push_back(std::move(address));
  index_recipient(static_cast<std::uint32_t>(recipients_.size() - 1));
}

// Adds the recipients whose way leads through (node, key).
void DeliveryTrace::affected(std::uint32_t node,
                             std::string_view key,
                             std::vector<std::size_t>& out) const {
  const Node& at = nodes_[node];
  if (at.link == Link::root) {
    affected_by_spelling(key, out);
    return;
  }
  if (at.link == Link::forwarded) {
    affected(at.parent, slots_[at.slot].key, out);
    return;
  }
  const std::size_t before = out.size();
  const std::string_view parent_key = nodes_[at.parent].link == Link::forwarded ? "" : key;
  if (const auto slot = find_slot(at.parent, parent_key); slot && slots_[*slot].target == key) {
    affected(at.parent, slots_[*slot].key, out);
  }
  const auto [begin, end] = target_index_.equal_range(slot_name(at.parent, key));
  for (auto it = begin; it != end; ++it) {
    if (slots_[it->second].key != parent_key) {
      affected(at.parent, slots_[it->second].key, out);
    }
  }
  if (out.size() == before) {
    affected_all(node, out);  // the filter rewrote the address
  }
}

void DeliveryTrace::affected_all(std::uint32_t node, std::vector<std::size_t>& out) const {
  const Node& at = nodes_[node];
  if (at.link == Link::root) {
    out.resize(recipients_.size());
    std::iota(out.begin(), out.end(), std::size_t{0});
  } else if (at.link == Link::forwarded) {
    affected(at.parent, slots_[at.slot].key, out);
  } else {
    for (const Slot& slot : slots_) {
      if (slot.node == at.parent && (slot.child == node || may_return_as(slot, node))) {
        affected(at.parent, slot.key, out);
      }
    }
  }
}

}  // namespace mtrk::maillog
