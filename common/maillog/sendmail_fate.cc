#include "common/maillog/attempt_meaning.h"
#include "common/maillog/sendmail_trace.h"

#include <algorithm>

// This file turns nodes, results and aliases into the fate of a recipient.
namespace mtrk::maillog {

using trace::Fate;
using trace::is_final;
using trace::kNone;
using trace::Last;
using trace::slot_name;

namespace {

// Aliases may lead to each other (Sendmail stops at 10), and hosts may hand a message on (Sendmail
// stops at 25 hops).
constexpr unsigned kMaxDepth = 32;
// If more recipients than these are named by no record, nothing is concluded by elimination.
constexpr std::size_t kMaxOpen = 8;
constexpr std::size_t kMaxIndirect = 64;

constexpr EnhancedStatus kExpanded{2, 0, 0};  // as Sendmail's own report says
constexpr EnhancedStatus kExpired{4, 4, 7};   // RFC 3463: delivery time expired
constexpr EnhancedStatus kLoop{5, 4, 6};      // RFC 3463: routing loop detected

void expand(TimePoint at, Fate& fate) {
  fate.action = Action::expanded;
  fate.status = kExpanded;
  fate.last_attempt = at;
  fate.remote_mta.clear();
}

void fail_in_circles(Fate& fate) {
  fate.action = Action::failed;
  fate.status = kLoop;
}

}  // namespace

bool SendmailTrace::declined(const std::string& recipient) const {
  const std::string key = match_key(recipient);
  return declined_.count(key) != 0 && result_index_.count(slot_name(0, key)) == 0;
}

Fate SendmailTrace::fate(const std::string& recipient) const {
  Fate fate;
  fate.via.push_back(nodes_[0].id);
  const std::string key = match_key(recipient);
  if (declined(recipient)) {
    fate.action = Action::failed;
    fate.status = declined_.at(key);
    return fate;
  }
  if (has_further_members(key)) {
    fate.basis = trace::Basis::elimination;
    expand(find_owned(0, key).first->at, fate);
    return fate;
  }
  if (resolve(0, recipient, "", 0, fate)) {
    return fate;
  }
  if (eliminate(key, fate)) {
    fate.basis = trace::Basis::elimination;
    return fate;
  }
  fate.redirected = false;
  if (const auto mailbox = local_part_of(key);
      !mailbox.empty() && resolve(0, mailbox, "", 0, fate)) {
    fate.basis = trace::Basis::elimination;
    return fate;
  }
  fate.redirected = false;
  fate.basis = trace::Basis::record;
  if (nodes_[0].loop && goes_in_circles(key)) {
    fail_in_circles(fate);
  } else {
    resolve_untried(fate);
  }
  return fate;
}

// At LogLevel 9, returns whether a record with ctladdr= shows one member, and other records have no
// owner and can belong to no other recipient.
bool SendmailTrace::has_further_members(const std::string& key) const {
  return aliases_.empty() && indirect_.size() == 1 && indirect_.count(key) != 0 &&
         find_owned(0, key).first != nullptr && !unowned_.empty() && is_complete();
}

// Returns the mailbox of an address of this host, if it was also a member of an alias: such
// duplicates are delivered once, and logged as the member. An alias or a mailbox of the domain
// shows that it is this host's.
std::string SendmailTrace::local_part_of(const std::string& key) const {
  const std::size_t at = key.rfind('@');
  if (at == std::string::npos || at == 0 || indirect_.size() > kMaxIndirect) {
    return {};
  }
  const std::string_view domain = std::string_view(key).substr(at);
  const auto is_here = [domain](const std::string& address) {
    const std::string other = match_key(address);
    return other.size() > domain.size() &&
           std::string_view(other).substr(other.size() - domain.size()) == domain;
  };
  const bool local = std::any_of(aliases_.begin(), aliases_.end(),
                                 [&](const Alias& alias) { return is_here(alias.from); }) ||
                     std::any_of(results_.begin(), results_.end(), [&](const Result& result) {
                       return result.last == Last::delivered && is_here(result.address);
                     });
  return local ? key.substr(0, at) : std::string();
}

// Resolves a recipient that no known record names. Results that may be its own forbid any guess.
void SendmailTrace::resolve_untried(Fate& fate) const {
  const Node& root = nodes_[0];
  const bool whole = unowned_.empty() && nodes_.size() == 1;
  if (root.gave_up && whole) {
    fate.action = Action::failed;
    fate.status = kExpired;
    return;
  }
  const bool over = std::all_of(nodes_.begin(), nodes_.end(),
                                [](const Node& node) { return node.done || node.vanished; });
  if (over) {
    fate.action = Action::opaque;
  }
  fate.held = root.held;
}

bool SendmailTrace::resolve(std::uint32_t family,
                            const std::string& address,
                            const std::string& owner,
                            unsigned depth,
                            Fate& fate) const {
  if (depth > kMaxDepth) {
    return false;
  }
  const std::string key = match_key(address);
  const Result* const result = find_result(family, address, owner);
  const Alias* const alias = find_alias(family, key);
  if (result != nullptr && (is_final(result->last) || alias == nullptr)) {
    resolve_result(*result, depth, fate);
    return true;
  }
  if (alias != nullptr && alias->several) {
    fate.basis = trace::Basis::redirection;
    expand(alias->at, fate);
    return true;
  }
  if (alias != nullptr && !alias->target.empty() &&
      resolve(family, alias->target, key, depth + 1, fate)) {
    fate.redirected = true;
    fate.basis = trace::Basis::redirection;
    return true;
  }
  if (const Found owned = find_owned(family, key); owned.first != nullptr) {
    fate.basis = trace::Basis::owner;
    if (owned.several) {
      expand(owned.first->at, fate);
    } else {
      fate.redirected = true;
      resolve_result(*owned.first, depth, fate);
    }
    return true;
  }
  if (result != nullptr) {
    resolve_result(*result, depth, fate);
  }
  return result != nullptr;
}

// Returns whether the known recipients are all that exist; otherwise records may be for others.
bool SendmailTrace::is_complete() const {
  std::size_t known = recipient_index_.size();
  for (const auto& [key, status] : declined_) {
    known -= recipient_index_.count(key);
  }
  // Addresses in brackets belong to other recipients if the numbers agree; otherwise they may be
  // members of a list.
  return nodes_[0].recipients != 0 && known + others_.size() == nodes_[0].recipients;
}

// Concludes a fate from what LogLevel 9 leaves: results that name a member of an alias, not the
// alias. They are this recipient's if they can belong to no other.
bool SendmailTrace::eliminate(const std::string& key, Fate& fate) const {
  if (!aliases_.empty() || open_.count(key) == 0 || open_.size() > kMaxOpen || !is_complete()) {
    return false;
  }
  if (clones_ > 0) {
    // A clone holds the members of a list with an owner. If there are as many clones as recipients
    // that may be lists, and nothing else was expanded, each of these is a list.
    const bool only_lists = std::all_of(
        unowned_.begin(), unowned_.end(),
        [this](std::uint32_t result) { return nodes_[results_[result].node].link == Link::clone; });
    const bool lists = indirect_.size() == 1 || (only_lists && clones_ >= indirect_.size());
    if (lists) {
      const auto first = std::find_if(nodes_.begin(), nodes_.end(),
                                      [](const Node& node) { return node.link == Link::clone; });
      expand(unowned_.empty() ? first->at : results_[unowned_.front()].at, fate);
    }
    return lists;
  }
  if (open_.size() != 1) {
    return false;
  }
  if (unowned_.empty()) {
    if (nodes_[0].loop) {
      fail_in_circles(fate);
    }
    return nodes_[0].loop;
  }
  const Result& first = results_[unowned_.front()];
  if (unowned_.size() > 1) {
    expand(first.at, fate);
  } else {
    fate.redirected = true;
    resolve_result(first, 0, fate);
  }
  return true;
}

bool SendmailTrace::goes_in_circles(const std::string& key) const {
  const Alias* alias = find_alias(0, key);
  unsigned steps = 0;
  while (alias != nullptr && !alias->target.empty() && steps <= kMaxDepth) {
    alias = find_alias(0, match_key(alias->target));
    ++steps;
  }
  return steps > kMaxDepth;
}

SendmailTrace::Redirected SendmailTrace::redirected(const std::string& recipient) const {
  if (clones_ > 0) {
    return {trace::Targets::several, {}};
  }
  const std::string given = match_key(recipient);
  const Alias* alias = find_alias(0, given);
  if (alias == nullptr) {
    alias = find_alias(0, local_part_of(given));
  }
  Redirected result;
  for (unsigned steps = 0; alias != nullptr; ++steps) {
    if (alias->several) {
      return {trace::Targets::several, {}};
    }
    if (alias->target.empty() || steps == kMaxDepth) {
      return {};
    }
    result = {trace::Targets::one, alias->target};
    alias = find_alias(0, match_key(alias->target));
  }
  return result;
}

void SendmailTrace::add_path(std::uint32_t node, Fate& fate) const {
  std::vector<std::string> path;
  for (std::uint32_t at = node; at != kNone; at = nodes_[at].parent) {
    if (std::find(fate.via.begin(), fate.via.end(), nodes_[at].id) != fate.via.end()) {
      break;
    }
    path.push_back(nodes_[at].id);
  }
  fate.via.insert(fate.via.end(), path.rbegin(), path.rend());
}

void SendmailTrace::resolve_result(const Result& result, unsigned depth, Fate& fate) const {
  const Node& node = nodes_[result.node];
  add_path(result.node, fate);
  fate.status = result.status;
  fate.last_attempt = result.at;
  fate.remote_mta = result.remote_mta;
  switch (result.last) {
    case Last::deferred:
      if (node.gave_up || node.done) {
        fate.action = Action::failed;
        fate.status = kExpired;
      } else {
        fate.action = node.vanished ? Action::opaque : Action::delayed;
        fate.held = node.held;
      }
      return;
    case Last::bounced:
      fate.action = Action::failed;
      return;
    case Last::delivered:
      fate.action = Action::delivered;
      return;
    case Last::relayed:
      if (result.child != kNone) {
        resolve_child(result.child, result.address, depth + 1, fate);
      } else {
        fate.action = Action::relayed;
      }
      return;
    case Last::transferred:
      fate.action = Action::transferred;
      return;
    case Last::forwarded:  // only Postfix has these words
    case Last::discarded:
    case Last::unknown:
      fate.action = Action::opaque;
      return;
  }
}

// Resolves the message that came in again on this host. Its recipient there is the address as
// handed on or, if that was rewritten, the only recipient.
void SendmailTrace::resolve_child(std::uint32_t child,
                                  const std::string& address,
                                  unsigned depth,
                                  Fate& fate) const {
  fate.action = Action::delayed;
  fate.status = EnhancedStatus{4, 0, 0};
  fate.last_attempt.reset();  // handing it on does not count as an attempt
  fate.remote_mta.clear();
  add_path(child, fate);
  if (resolve(child, address, "", depth, fate) || depth > kMaxDepth) {
    return;
  }
  const Result* only = nullptr;
  bool several = false;
  for (const Result& result : results_) {
    if (nodes_[result.node].family == child) {
      several = several || only != nullptr;
      only = &result;
    }
  }
  if (only != nullptr && nodes_[child].recipients == 1) {
    if (several) {
      expand(only->at, fate);
    } else {
      resolve_result(*only, depth, fate);
    }
  } else if (nodes_[child].done || nodes_[child].vanished) {
    fate.action = Action::opaque;
  }
}

bool SendmailTrace::queued(const std::vector<std::string>& recipients) const {
  const auto in_queue = [](const Node& node) {
    const bool open = node.deferred > 0 || node.results == 0;
    return open && !node.gave_up && !node.done && !node.vanished && !node.refused;
  };
  if (nodes_[0].refused) {
    return false;
  }
  if (std::any_of(nodes_.begin(), nodes_.end(), in_queue)) {
    return true;
  }
  if (nodes_[0].done || nodes_[0].vanished || indirect_.empty()) {
    return false;
  }
  if (indirect_.size() > kMaxIndirect) {
    return true;
  }
  // A recipient that is known by elimination may have further members.
  return std::any_of(recipients.begin(), recipients.end(), [this](const std::string& recipient) {
    const std::string key = match_key(recipient);
    if (indirect_.count(key) == 0) {
      return false;
    }
    const Action action = fate(recipient).action;
    return action == Action::delayed ||
           (open_.count(key) != 0 && action != Action::expanded && action != Action::failed);
  });
}

}  // namespace mtrk::maillog
