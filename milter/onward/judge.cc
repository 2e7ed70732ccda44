#include "milter/onward/judge.h"

#include "common/track/address.h"
#include "common/track/xtext.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace mtrk {
namespace {

using Kind = OnwardVerdict::Kind;
using Why = OnwardVerdict::Why;
using Targets = maillog::DeliveryTrace::Targets;

OnwardVerdict withhold(Why why) {
  OnwardVerdict verdict;
  verdict.kind = Kind::withhold;
  verdict.why = why;
  return verdict;
}

OnwardVerdict ask_again() {
  OnwardVerdict verdict;
  verdict.kind = Kind::ask_again;
  return verdict;
}

// Returns true if the transaction is a copy that a mailing list sends: it is in the owner's name,
// and has recipients to whom the message was not sent.
bool is_list_copy(const maillog::DeliveryTrace& trace, const OnwardTransaction& transaction) {
  return is_list_owner(transaction.sender) &&
         std::any_of(transaction.recipients.begin(), transaction.recipients.end(),
                     [&](const auto& rcpt) { return !trace.find_recipient(rcpt.address); });
}

// Judges a recipient that was given at RCPT and goes out under another address. Returns nothing if
// that is no obstacle.
std::optional<OnwardVerdict> judge_redirected(Targets targets,
                                              const PassOnPolicy& policy,
                                              std::chrono::milliseconds waited) {
  if (targets == Targets::several) {
    return withhold(Why::expanded);  // MTRK-3.3-07
  }
  if (policy.redirection_is_final) {
    return withhold(Why::redirection_is_final);
  }
  if (waited < (targets == Targets::unknown ? kMostWaiting : kForwardWaiting)) {
    return ask_again();
  }
  return targets == Targets::unknown ? std::optional(withhold(Why::redirection_unknown))
                                     : std::nullopt;
}

// A Match is the captured recipient to whom a RCPT belongs.
struct Match {
  std::size_t recipient;
  bool redirected;
};
std::optional<Match> find_captured(const maillog::DeliveryTrace& trace,
                                   const OnwardTransaction::Recipient& rcpt) {
  if (const auto direct = trace.find_recipient(rcpt.address)) {
    return Match{*direct, false};
  }
  const Expected<TypedAddress> original = parse_orcpt(rcpt.orcpt);
  auto alias = original ? trace.find_recipient(original->value) : std::nullopt;
  if (!alias) {
    alias = trace.find_redirected(rcpt.address);
  }
  return alias ? std::optional(Match{*alias, true}) : std::nullopt;
}

// Judges the recipients of a message that is in time and goes to a next hop which takes MTRK.
// Returns nothing if all of them may have it.
std::optional<OnwardVerdict> judge_recipients(const maillog::DeliveryTrace& trace,
                                              const OnwardTransaction& transaction,
                                              const PassOnPolicy& policy,
                                              std::chrono::milliseconds waited) {
  std::set<std::size_t> seen;
  std::optional<OnwardVerdict> doubt;
  for (const auto& rcpt : transaction.recipients) {
    const std::optional<Match> match = find_captured(trace, rcpt);
    if (!match && transaction.certifier && waited < kForwardWaiting) {
      doubt = ask_again();  // the log may yet say whose alias it is
      continue;
    }
    if (!match) {
      return withhold(Why::not_captured);
    }
    if (!seen.insert(match->recipient).second) {
      return withhold(Why::expanded);  // MTRK-3.3-07
    }
    if (!match->redirected) {
      continue;
    }
    const auto verdict = judge_redirected(trace.targets(match->recipient), policy, waited);
    if (verdict && verdict->kind == Kind::withhold) {
      return verdict;
    }
    doubt = verdict ? verdict : doubt;
  }
  return doubt;
}

OnwardVerdict decide(const store::QueuedTracking& tracking,
                     const OnwardTransaction& transaction,
                     const PassOnPolicy& policy,
                     TimePoint now,
                     std::chrono::milliseconds waited) {
  const Expected<std::string> envid = decode_xtext(transaction.envid);
  if (!envid || (!envid->empty() && *envid != tracking.envelope_id.decoded())) {
    return withhold(Why::other_message);
  }
  if (is_list_copy(tracking.trace, transaction)) {  // MTRK-3.3-10, DSNX-5.2.7-02
    return withhold(Why::mailing_list);
  }
  if (!transaction.takes_mtrk) {
    return withhold(Why::not_taken);
  }
  const std::optional<Seconds> remaining =
      remaining_after(tracking.timeout.value_or(policy.default_timeout), now - tracking.arrival);
  if (!remaining) {
    return withhold(Why::time_is_up);  // MTRK-3.1-21
  }
  if (transaction.recipients.empty()) {
    return withhold(Why::no_recipients);
  }
  if (auto obstacle = judge_recipients(tracking.trace, transaction, policy, waited)) {
    return *std::move(obstacle);
  }
  OnwardVerdict verdict;
  verdict.kind = Kind::pass_on;
  verdict.envid = tracking.envelope_id.xtext();
  verdict.mtrk = MtrkParam{tracking.certifier, remaining};
  return verdict;
}

int progress(Kind kind) {
  return kind == Kind::pass_on ? 3 : kind == Kind::ask_again ? 2 : kind == Kind::withhold ? 1 : 0;
}

}  // namespace

OnwardVerdict judge(const store::QueuedTracking& tracking,
                    const OnwardTransaction& transaction,
                    const PassOnPolicy& policy,
                    TimePoint now,
                    std::chrono::milliseconds waited) {
  OnwardVerdict verdict = decide(tracking, transaction, policy, now, waited);
  verdict.queue_id = transaction.queue_id.empty() ? tracking.trace.root() : transaction.queue_id;
  return verdict;
}

OnwardVerdict judge_all(const std::vector<store::QueuedTracking>& found,
                        const OnwardTransaction& transaction,
                        const PassOnPolicy& policy,
                        TimePoint now,
                        std::chrono::milliseconds waited) {
  OnwardVerdict best;
  for (const store::QueuedTracking& tracking : found) {
    OnwardVerdict verdict = judge(tracking, transaction, policy, now, waited);
    if (progress(verdict.kind) > progress(best.kind)) {
      best = std::move(verdict);
    }
  }
  return best;
}

}  // namespace mtrk
