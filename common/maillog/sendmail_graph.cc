#include "common/maillog/attempt_meaning.h"
#include "common/maillog/sendmail_trace.h"

#include <algorithm>

// This file finds and adds nodes, results and aliases, and finds the recipients that they concern.
namespace mtrk::maillog {

using trace::kNone;
using trace::Last;
using trace::slot_name;

namespace {

// This is for one message on one host; queue groups split it finely, but not as finely as that.
constexpr std::size_t kMaxNodes = 65536;
// If more recipients than these are named by no record, nothing is concluded by elimination.
constexpr std::size_t kMaxOpen = 8;

}  // namespace

void SendmailTrace::index_all(const std::vector<std::string>& recipients) {
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    node_index_.emplace(nodes_[i].id, i);
    clones_ += nodes_[i].link == Link::clone && nodes_[i].family == 0 ? 1U : 0U;
  }
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    index_recipient(recipients[i], i);
  }
  for (std::uint32_t i = 0; i < results_.size(); ++i) {
    index_result(i);
  }
  for (std::uint32_t i = 0; i < aliases_.size(); ++i) {
    index_alias(i);
  }
}

std::optional<std::uint32_t> SendmailTrace::find_node(std::string_view queue_id) const {
  const auto node = node_index_.find(std::string(queue_id));
  return node == node_index_.end() ? std::nullopt : std::optional(node->second);
}

std::optional<std::uint32_t> SendmailTrace::add_node(std::string_view queue_id,
                                                     Link link,
                                                     std::uint32_t parent,
                                                     TimePoint at,
                                                     trace::Applied& applied) {
  const std::uint32_t index = static_cast<std::uint32_t>(nodes_.size());
  if (index >= kMaxNodes || !node_index_.emplace(queue_id, index).second) {
    return std::nullopt;
  }
  Node node;
  node.id = queue_id;
  node.link = link;
  node.parent = parent;
  node.at = at;
  node.family = link == Link::handed_on ? index : nodes_[parent].family;
  clones_ += link == Link::clone && node.family == 0 ? 1U : 0U;
  nodes_.push_back(std::move(node));
  applied.joined.emplace_back(queue_id);
  applied.altered = true;
  return index;
}

void SendmailTrace::index_recipient(const std::string& address, std::size_t index) {
  const std::string key = match_key(address);
  recipient_index_[key].push_back(index);
  if (declined_.count(key) == 0 && result_index_.count(slot_name(0, key)) == 0) {
    indirect_.insert(key);
    open_.insert(key);
  }
}

std::uint32_t SendmailTrace::result_for(const Attempt& attempt, std::uint32_t node) {
  const std::uint32_t family = nodes_[node].family;
  const auto known = result_index_.find(slot_name(family, match_key(attempt.recipient)));
  if (known != result_index_.end()) {
    for (const std::uint32_t index : known->second) {
      if (results_[index].address == attempt.recipient &&
          results_[index].owner == attempt.original) {
        return index;
      }
    }
  }
  Result result;
  result.node = node;
  result.address = attempt.recipient;
  result.owner = attempt.original;
  result.bracketed = attempt.bracketed;
  result.owner_bracketed = attempt.original_bracketed;
  results_.push_back(std::move(result));
  const std::uint32_t index = static_cast<std::uint32_t>(results_.size() - 1);
  index_result(index);
  return index;
}

void SendmailTrace::index_result(std::uint32_t index) {
  Result& result = results_[index];
  Node& node = nodes_[result.node];
  result.key = match_key(result.address);
  result_index_[slot_name(node.family, result.key)].push_back(index);
  ++node.results;
  node.deferred += result.last == Last::deferred ? 1U : 0U;
  const std::string owner = match_key(result.owner);
  if (!owner.empty() && owner != result.key) {
    owner_index_[slot_name(node.family, owner)].push_back(index);
  }
  if (node.family != 0) {
    return;
  }
  if (recipient_index_.count(result.key) != 0) {
    indirect_.erase(result.key);
    open_.erase(result.key);
  } else if (recipient_index_.count(owner) != 0) {
    open_.erase(owner);
  } else if (result.bracketed && node.link != Link::clone) {
    others_.insert(result.key);
  } else if (result.owner_bracketed && node.link != Link::clone) {
    others_.insert(owner);
  } else if (added_.count(result.key) == 0) {
    unowned_.push_back(index);
  }
}

void SendmailTrace::index_alias(std::uint32_t index) {
  const Alias& alias = aliases_[index];
  const std::string from = match_key(alias.from);
  alias_index_.emplace(slot_name(alias.family, from), index);
  if (!alias.target.empty()) {
    target_index_[slot_name(alias.family, match_key(alias.target))].push_back(index);
  }
  if (alias.family == 0) {
    open_.erase(from);
  }
}

const SendmailTrace::Result* SendmailTrace::find_result(std::uint32_t family,
                                                        std::string_view address,
                                                        std::string_view owner) const {
  const auto known = result_index_.find(slot_name(family, match_key(address)));
  if (known == result_index_.end()) {
    return nullptr;
  }
  // Some mailers merge the spellings of one address, others keep them apart; one program may be in
  // several aliases.
  const Result* best = nullptr;
  int rank = -1;
  for (const std::uint32_t index : known->second) {
    const Result& result = results_[index];
    const int own =
        (match_key(result.owner) == owner ? 2 : 0) + (result.address == address ? 1 : 0);
    if (own > rank) {
      best = &result;
      rank = own;
    }
  }
  return best;
}

SendmailTrace::Found SendmailTrace::find_owned(std::uint32_t family,
                                               const std::string& owner) const {
  Found found;
  const auto known = owner_index_.find(slot_name(family, owner));
  if (known != owner_index_.end()) {
    found.first = &results_[known->second.front()];
    found.several = known->second.size() > 1;
  }
  return found;
}

const SendmailTrace::Alias* SendmailTrace::find_alias(std::uint32_t family,
                                                      const std::string& key) const {
  const auto alias = alias_index_.find(slot_name(family, key));
  return alias == alias_index_.end() ? nullptr : &aliases_[alias->second];
}

// Adds the recipients whose way leads to an address.
void SendmailTrace::affected(std::uint32_t family,
                             const std::string& key,
                             const std::string& owner,
                             std::vector<std::size_t>& out) const {
  const std::size_t before = out.size();
  std::vector<std::string> keys{key};
  if (!owner.empty() && owner != key) {
    keys.push_back(owner);
  }
  std::set<std::string> visited(keys.begin(), keys.end());
  while (!keys.empty()) {
    const std::string next = std::move(keys.back());
    keys.pop_back();
    if (family == 0) {
      if (const auto known = recipient_index_.find(next); known != recipient_index_.end()) {
        out.insert(out.end(), known->second.begin(), known->second.end());
      }
    }
    const auto aliases = target_index_.find(slot_name(family, next));
    if (aliases == target_index_.end()) {
      continue;
    }
    for (const std::uint32_t alias : aliases->second) {
      std::string from = match_key(aliases_[alias].from);
      if (visited.insert(from).second) {
        keys.push_back(std::move(from));
      }
    }
  }
  if (family != 0) {
    const Result& handed_on = results_[nodes_[family].result];
    affected(nodes_[handed_on.node].family, handed_on.key, match_key(handed_on.owner), out);
  } else if (out.size() == before && aliases_.empty() && others_.count(key) == 0 &&
             others_.count(owner) == 0) {
    add_open(out);
  }
}

void SendmailTrace::affected_by_node(std::uint32_t node, std::vector<std::size_t>& out) const {
  if (node == 0) {
    for (const auto& [key, indexes] : recipient_index_) {
      out.insert(out.end(), indexes.begin(), indexes.end());
    }
    return;
  }
  for (const Result& result : results_) {
    if (result.node == node) {
      affected(nodes_[node].family, result.key, match_key(result.owner), out);
    }
  }
}

// Adds the recipients that records without an owner may concern.
void SendmailTrace::add_open(std::vector<std::size_t>& out) const {
  const std::unordered_set<std::string>& keys = indirect_.size() == 1 ? indirect_ : open_;
  if (keys.size() > kMaxOpen) {
    return;
  }
  for (const std::string& key : keys) {
    const std::vector<std::size_t>& indexes = recipient_index_.at(key);
    out.insert(out.end(), indexes.begin(), indexes.end());
  }
}

}  // namespace mtrk::maillog
