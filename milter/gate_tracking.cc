#include "milter/gate_tracking.h"

#include "common/track/address.h"
#include "common/track/xtext.h"

#include <algorithm>
#include <set>

namespace mtrk::gate {
namespace {

using Kind = Verdict::Kind;
using Targets = maillog::DeliveryTrace::Targets;

const Verdict kAskAgain{Kind::ask_again, {}, std::nullopt, false};

Verdict withhold(std::string_view why) {
  return {Kind::withhold, why, std::nullopt, false};
}

// In its owner's name to others than the message was sent to.
bool is_list_copy(const maillog::DeliveryTrace& trace,
                  const smtp::GateOnwardSession::Transaction& transaction) {
  return smtp::is_list_owner(transaction.sender) &&
         std::any_of(transaction.recipients.begin(), transaction.recipients.end(),
                     [&](const auto& rcpt) { return !trace.find_recipient(rcpt.address); });
}

// What was given at RCPT goes out under another address. Nothing: that is no obstacle.
std::optional<Verdict> judge_redirected(Targets targets,
                                        const PassOnPolicy& policy,
                                        std::chrono::milliseconds waited) {
  if (targets == Targets::several) {
    return withhold("expanded to several recipients");  // MTRK-3.3-07
  }
  if (policy.redirection_is_final) {
    return withhold("redirected, which is final here");
  }
  if (waited < (targets == Targets::unknown ? kMostWaiting : kForwardWaiting)) {
    return kAskAgain;
  }
  return targets == Targets::unknown
             ? std::optional(withhold("redirected, and the log does not say to how many"))
             : std::nullopt;
}

// The captured recipient that a RCPT is for.
struct Match {
  std::size_t recipient;
  bool redirected;
};
std::optional<Match> find_captured(const maillog::DeliveryTrace& trace,
                                   const smtp::GateOnwardSession::Transaction::Recipient& rcpt) {
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

}  // namespace

Verdict judge(const store::QueuedTracking& tracking,
              const smtp::GateOnwardSession::Transaction& transaction,
              const PassOnPolicy& policy,
              TimePoint now,
              std::chrono::milliseconds waited) {
  const Expected<std::string> envid = decode_xtext(transaction.envid);
  if (!envid || (!envid->empty() && *envid != tracking.envelope_id.decoded())) {
    return withhold("the queue id is another message's");
  }
  if (is_list_copy(tracking.trace, transaction)) {  // MTRK-3.3-10, DSNX-5.2.7-02
    return {Kind::withhold, "a mailing list", std::nullopt, true};
  }
  if (!transaction.takes_mtrk) {
    return withhold("the next hop does not take it");
  }
  const std::optional<Seconds> remaining =
      remaining_after(tracking.timeout.value_or(policy.default_timeout), now - tracking.arrival);
  if (!remaining) {
    return withhold("its time is up");  // MTRK-3.1-21
  }
  if (transaction.recipients.empty()) {
    return withhold("its recipients were not told");
  }
  std::set<std::size_t> seen;
  std::optional<Verdict> doubt;
  for (const auto& rcpt : transaction.recipients) {
    const std::optional<Match> match = find_captured(tracking.trace, rcpt);
    if (!match && transaction.certifier && waited < kForwardWaiting) {
      doubt = kAskAgain;  // the log may yet say whose alias it is
      continue;
    }
    if (!match) {
      return withhold("a recipient that was not captured");
    }
    if (!seen.insert(match->recipient).second) {
      return withhold("expanded to several recipients");  // MTRK-3.3-07
    }
    if (!match->redirected) {
      continue;
    }
    const auto verdict = judge_redirected(tracking.trace.targets(match->recipient), policy, waited);
    if (verdict && verdict->kind == Kind::withhold) {
      return *verdict;
    }
    doubt = verdict ? verdict : doubt;
  }
  if (doubt) {
    return *doubt;
  }
  return {Kind::pass_on,
          {},
          smtp::Onward{tracking.envelope_id.xtext(), {tracking.certifier, remaining}},
          false};
}

}  // namespace mtrk::gate
