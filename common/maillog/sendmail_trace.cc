#include "common/maillog/sendmail_trace.h"

#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "common/maillog/delivery_trace.h"
#include "common/maillog/sendmail_meaning.h"
#include "common/maillog/sendmail_record.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

// This file takes events in. sendmail_graph.cc keeps what the trace consists of, sendmail_fate.cc
// finds outcomes, and sendmail_codec.cc encodes what the store keeps.
namespace mtrk::maillog {
namespace {

using trace::Applied;
using trace::is_final;
using trace::kNone;
using trace::Last;
using trace::slot_name;

TimePoint to_seconds(LogTime at) {
  return std::chrono::floor<Seconds>(at);
}

// Returns the status of "550 5.7.1 why", "450 why" or "why", as far as there is one.
EnhancedStatus status_of_refusal(std::string_view text) {
  const std::string_view code = text.substr(0, text.find(' '));
  const std::uint8_t status_class = code.size() == 3 && code[0] == '4' ? 4 : 5;
  if (code.size() == 3 && code.size() < text.size()) {
    const std::string_view rest = text.substr(code.size() + 1);
    const auto status = parse_enhanced_status(rest.substr(0, rest.find(' ')));
    if (status && status->status_class == status_class) {
      return *status;
    }
  }
  return {status_class, 0, 0};
}

}  // namespace

SendmailTrace::SendmailTrace(std::string root, const std::vector<std::string>& recipients) {
  nodes_.emplace_back();
  nodes_[0].id = std::move(root);
  index_all(recipients);
}

bool SendmailTrace::has(std::string_view queue_id) const {
  return find_node(queue_id).has_value();
}

std::vector<std::string> SendmailTrace::queue_ids() const {
  std::vector<std::string> ids;
  std::transform(nodes_.begin(), nodes_.end(), std::back_inserter(ids),
                 [](const Node& node) { return node.id; });
  return ids;
}

void SendmailTrace::apply(const DeliveryEvent& event,
                          Recipients mode,
                          const TracePolicy& policy,
                          const trace::Evidence& evidence,
                          const QueueSpace& host,
                          std::vector<std::string>& recipients,
                          Applied& applied) {
  const std::optional<std::uint32_t> node = find_node(event.queue_id);
  if (!node) {
    return;
  }
  if (mode == Recipients::collect) {
    if (const std::optional<std::string_view> newcomer = new_recipient(event, *node)) {
      recipients.emplace_back(*newcomer);
      index_recipient(recipients.back(), recipients.size() - 1);
      applied.altered = true;
    }
  }
  const auto clues = [this] {
    return std::tuple(open_.size(), indirect_.size(), unowned_.size(), clones_, aliases_.empty(),
                      nodes_[0].loop, nodes_[0].recipients);
  };
  const auto clues_before = clues();
  if (const Attempt* attempt = std::get_if<Attempt>(&event.what)) {
    apply_attempt(event, *attempt, *node, policy, evidence, host, applied);
  } else if (const Redirection* redirection = std::get_if<Redirection>(&event.what)) {
    if (apply_redirection(*redirection, to_seconds(event.at), *node)) {
      applied.altered = true;
      affected(nodes_[*node].family, match_key(redirection->from), "", applied.changed);
    }
  } else if (apply_to_node(event, *node, applied)) {
    applied.altered = true;
    affected_by_node(*node, applied.changed);
  }
  if (clues() != clues_before) {
    add_open(applied.cleared);
  }
}

// Returns an address that the event shows to be one of the transaction's. Brackets identify most of
// them. A bare address may be a member of an alias that the log does not show, but it is better to
// name it than to miss it.
std::optional<std::string_view> SendmailTrace::new_recipient(const DeliveryEvent& event,
                                                             std::uint32_t node) const {
  const auto unless_known = [this](std::string_view address) {
    return recipient_index_.count(match_key(address)) != 0 ? std::nullopt : std::optional(address);
  };
  if (nodes_[node].family != 0 || nodes_[node].link == Link::clone) {
    return std::nullopt;
  }
  if (const Redirection* redirection = std::get_if<Redirection>(&event.what)) {
    return redirection->bracketed ? unless_known(redirection->from) : std::nullopt;
  }
  const Attempt* attempt = std::get_if<Attempt>(&event.what);
  if (attempt == nullptr || nodes_[node].refused) {
    return std::nullopt;
  }
  if (attempt->bracketed) {
    return unless_known(attempt->recipient);
  }
  if (attempt->original_bracketed) {
    return unless_known(attempt->original);
  }
  const std::string key = match_key(attempt->recipient);
  const bool member = !aliases_.empty() || added_.count(key) != 0 || attempt->recipient.empty() ||
                      attempt->recipient[0] == '|' || attempt->recipient[0] == '/';
  return member ? std::nullopt : unless_known(attempt->recipient);
}

void SendmailTrace::apply_attempt(const DeliveryEvent& event,
                                  const Attempt& attempt,
                                  std::uint32_t index,
                                  const TracePolicy& policy,
                                  const trace::Evidence& evidence,
                                  const QueueSpace& host,
                                  Applied& applied) {
  if (nodes_[index].refused || nodes_[index].gave_up) {
    return;  // it was never accepted, or returned: nothing is tried after that
  }
  std::optional<SendmailMeaning> meaning = sendmail_meaning_of(attempt, policy.gates);
  const bool held = attempt.status == "quarantined";
  if (!meaning && attempt.status != "queued" && !held) {
    return;
  }
  Node& node = nodes_[index];
  applied.altered = applied.altered || !node.alive || !node.seen || node.held != held;
  node.alive = node.seen = true;
  // A message that is queued or tried is not on hold, whether its release was logged or not.
  if (std::exchange(node.held, held) != held) {
    affected_by_node(index, applied.cleared);
  }
  if (!meaning) {
    affected(node.family, match_key(attempt.recipient), match_key(attempt.original),
             applied.changed);
    return;
  }
  const std::size_t count = results_.size();
  const std::uint32_t which = result_for(attempt, index);
  Result& result = results_[which];
  const TimePoint at = to_seconds(event.at);
  const bool fresh = results_.size() > count;
  const bool same = result.last == meaning->last && result.status == meaning->status &&
                    result.at == at && result.remote_mta == meaning->remote_mta;
  if (!fresh && (same || is_final(result.last) || at < result.at)) {
    return;
  }
  applied.altered = true;
  if (result.node != index) {  // it continued under another queue id
    --nodes_[result.node].results;
    nodes_[result.node].deferred -= 1;
    ++nodes_[index].results;
    nodes_[index].deferred += 1;
    result.node = index;
  }
  result.last = meaning->last;
  result.status = meaning->status;
  result.at = at;
  result.remote_mta = std::move(meaning->remote_mta);
  nodes_[index].deferred -= is_final(result.last) ? 1U : 0U;
  affected(nodes_[index].family, result.key, match_key(result.owner), applied.changed);
  if (meaning->loopback && result.last == Last::relayed) {
    hand_on(which, attempt, evidence, host, applied);
  }
}

// Follows a message that was sent to this host, whose reply has an ID. If the Message-Id shows that
// this is the same message, it continues there: this is the way out of the submission queue, and
// through filters. The reply alone is a claim.
void SendmailTrace::hand_on(std::uint32_t index,
                            const Attempt& attempt,
                            const trace::Evidence& evidence,
                            const QueueSpace& host,
                            Applied& applied) {
  Result& result = results_[index];
  const std::uint64_t message_id = nodes_[result.node].message_id;
  if (attempt.queued_as.empty() || message_id == 0) {
    return;
  }
  const auto came = evidence.received_here(attempt.queued_as, host);
  if (!came || came->message_id != message_id) {
    return;
  }
  if (const auto known = find_node(attempt.queued_as)) {  // it is another recipient's way, too
    if (nodes_[*known].link == Link::handed_on && nodes_[*known].parent == result.node) {
      result.child = *known;
    }
    return;
  }
  if (const auto child =
          add_node(attempt.queued_as, Link::handed_on, result.node, result.at, applied)) {
    nodes_[*child].result = index;
    results_[index].child = *child;
  }
}

bool SendmailTrace::apply_redirection(const Redirection& redirection,
                                      TimePoint at,
                                      std::uint32_t node) {
  const std::uint32_t family = nodes_[node].family;
  const std::vector<std::string_view> targets = sendmail_targets(redirection.targets, 2);
  if (targets.empty()) {
    return false;
  }
  const auto known = alias_index_.find(slot_name(family, match_key(redirection.from)));
  if (known != alias_index_.end()) {
    // A .forward file has a record for each of its lines; retries repeat them.
    Alias& alias = aliases_[known->second];
    const bool same = match_key(without_brackets(targets[0]).address) == match_key(alias.target);
    if (alias.several || (targets.size() == 1 && same)) {
      return false;
    }
    alias.several = true;
    alias.target.clear();
    return true;
  }
  Alias alias;
  alias.family = family;
  alias.from = redirection.from;
  alias.at = at;
  alias.several = targets.size() > 1 || targets[0].substr(0, 9) == ":include:";
  if (!alias.several && redirection.targets.find("...") == std::string_view::npos) {
    alias.target = without_brackets(targets[0]).address;
  }
  aliases_.push_back(std::move(alias));
  index_alias(static_cast<std::uint32_t>(aliases_.size() - 1));
  return true;
}

// This applies only before the message is accepted: later, the same words may be about a delivery.
bool SendmailTrace::apply_declined(const Declined& declined, std::uint32_t node) {
  const std::string key = match_key(declined.recipient);
  if (node != 0 || nodes_[0].alive || result_index_.count(trace::slot_name(0, key)) != 0) {
    return false;
  }
  open_.erase(key);
  indirect_.erase(key);
  return declined_.insert_or_assign(key, status_of_refusal(declined.text)).second;
}

// Returns whether anything changed for the recipients of the node.
bool SendmailTrace::apply_to_node(const DeliveryEvent& event,
                                  std::uint32_t index,
                                  Applied& applied) {
  const auto become = [](bool& flag) { return !std::exchange(flag, true); };
  if (const Queued* queued = std::get_if<Queued>(&event.what)) {
    // A transaction that was aborted is logged like this, too, but without a message id.
    Node& node = nodes_[index];
    const bool taken = !queued->message_id.empty() && queued->recipients > 0;
    const Node before = node;
    node.recipients = std::max(node.recipients, queued->recipients);
    node.message_id = taken ? message_id_hash(queued->message_id) : node.message_id;
    node.seen = node.alive = node.alive || taken;
    return std::tie(before.recipients, before.message_id, before.alive) !=
           std::tie(node.recipients, node.message_id, node.alive);
  }
  if (const Declined* declined = std::get_if<Declined>(&event.what)) {
    return apply_declined(*declined, index);
  }
  if (const Cloned* cloned = std::get_if<Cloned>(&event.what)) {
    return add_node(cloned->child, Link::clone, index, to_seconds(event.at), applied).has_value();
  }
  if (const Split* split = std::get_if<Split>(&event.what)) {
    bool added = false;
    std::string_view children = split->children;
    while (!children.empty()) {
      const std::size_t end = std::min(children.find("; "), children.size());
      const std::string_view child = children.substr(0, end);
      added = add_node(child, Link::split, index, to_seconds(event.at), applied) || added;
      children.remove_prefix(std::min(end + 2, children.size()));
    }
    return added;
  }
  if (const Added* added = std::get_if<Added>(&event.what)) {
    return added_.insert(match_key(added->recipient)).second;
  }
  Node& node = nodes_[index];
  if (std::holds_alternative<Rejected>(event.what)) {
    return node.results == 0 && become(node.refused);
  }
  if (const Removed* removed = std::get_if<Removed>(&event.what)) {
    return become(removed->by == "sendmail" ? node.done : node.vanished);
  }
  const bool first = become(node.alive);
  node.seen = true;
  if (std::holds_alternative<Held>(event.what)) {
    return become(node.held) || first;
  }
  if (std::holds_alternative<Released>(event.what)) {
    return std::exchange(node.held, false) || first;
  }
  if (std::holds_alternative<GaveUp>(event.what)) {
    return become(node.gave_up) || first;
  }
  if (const Notification* notification = std::get_if<Notification>(&event.what)) {
    return (notification->text == "aliasing/forwarding loop broken" && become(node.loop)) || first;
  }
  return first;
}

}  // namespace mtrk::maillog
