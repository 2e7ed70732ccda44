#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/delivery_trace.h"
#include "common/maillog/postfix_attempt.h"

#include <algorithm>
#include <iterator>

// This file handles addresses that were given at RCPT in several spellings, such as Bob@x and
// bob@x. Postfix delivers once for all of them and logs one. If they have ORCPTs of their own, and
// with other mail systems, each is delivered separately (RFC 5321 §2.4: the case of the local part
// may matter). Only messages with such recipients have this cost, which is linear in their number.
namespace mtrk::maillog {

using trace::kNone;
using trace::Node;
using trace::slot_name;

namespace {

constexpr std::size_t kMaxLookalikes = 32;

}  // namespace

void DeliveryTrace::index_recipient(std::uint32_t index) {
  if (std::optional<Lookalike> lookalike = lookalike_of(recipients_[index]);
      lookalike && lookalikes_.size() < kMaxLookalikes) {
    lookalikes_.push_back(*std::move(lookalike));
  }
  const std::string key = match_key(recipients_[index]);
  const auto same = recipient_index_.find(key);
  if (same == recipient_index_.end()) {
    ++distinct_;
    ++addresses_;
  } else if (respelled_.count(key) == 0) {
    std::string first = spelled_key(recipients_[same->second]);
    if (first != spelled_key(recipients_[index])) {
      respelled_.insert(key);
      const auto [begin, end] = recipient_index_.equal_range(key);
      for (auto it = begin; it != end; ++it) {
        spelling_index_.emplace(first, it->second);  // this was the same for all until now
      }
    }
  }
  if (respelled_.count(key) != 0) {
    std::string spelled = spelled_key(recipients_[index]);
    distinct_ += spelling_index_.find(spelled) == spelling_index_.end() ? 1U : 0U;
    spelling_index_.emplace(std::move(spelled), index);
  }
  recipient_index_.emplace(key, index);
}

std::string DeliveryTrace::key_of(std::string_view address) const {
  std::string key = match_key(address);
  if (respelled_.empty() || respelled_.count(key) == 0) {
    return key;
  }
  std::string spelled = spelled_key(address);
  return spelling_index_.find(spelled) != spelling_index_.end() ? spelled : key;
}

bool DeliveryTrace::note_spelling(std::uint32_t slot) {
  if (respelled_.empty()) {
    return false;
  }
  std::string folded = to_lower(slots_[slot].key);
  if (respelled_.count(folded) == 0) {
    return false;
  }
  const auto [known, first] = only_spelling_.emplace(slot_name(slots_[slot].node, folded), slot);
  if (first || known->second == kNone) {
    return false;
  }
  known->second = kNone;
  return true;
}

std::optional<std::uint32_t> DeliveryTrace::find_any_spelling(std::uint32_t index,
                                                              std::string_view key) const {
  const std::optional<std::uint32_t> slot = find_slot(index, key);
  if (slot || respelled_.empty()) {
    return slot;
  }
  const auto other = only_spelling_.find(slot_name(index, to_lower(key)));
  if (other == only_spelling_.end() || other->second == kNone) {
    return std::nullopt;
  }
  // Its end is also that of this spelling if the message has fewer recipients than were given, or
  // if nothing more will come.
  const Node& node = nodes_[index];
  const bool merged = nodes_[0].recipients != 0 && nodes_[0].recipients < distinct_;
  const bool over = node.removed || node.gave_up;
  return merged || over || !trace::is_final(slots_[other->second].last)
             ? std::optional(other->second)
             : std::nullopt;
}

void DeliveryTrace::affected_by_spelling(std::string_view key,
                                         std::vector<std::size_t>& out) const {
  const std::string folded = to_lower(key);
  const auto only = only_spelling_.find(slot_name(0, folded));
  const bool apart = only != only_spelling_.end() && only->second == kNone;
  const auto [begin, end] =
      apart ? spelling_index_.equal_range(std::string(key)) : recipient_index_.equal_range(folded);
  std::transform(begin, end, std::back_inserter(out), [](const auto& row) { return row.second; });
}

}  // namespace mtrk::maillog
