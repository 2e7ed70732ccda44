#include "milter/ctl/account.h"

#include "common/maillog/attempt_meaning.h"
#include "common/maillog/sendmail_meaning.h"
#include "milter/ctl/reason.h"

#include <algorithm>
#include <unordered_map>

namespace mtrk {
namespace {

using maillog::Attempt;
using maillog::Client;
using maillog::Declined;
using maillog::GaveUp;
using maillog::match_key;
using maillog::MessageId;
using maillog::Pickup;
using maillog::Queued;
using maillog::TracePolicy;
using maillog::trace::Last;

Fate fate_from(const Outcome& outcome) {
  Fate fate{action_of(outcome),
            status_of(outcome),
            {},
            last_attempt_of(outcome),
            will_retry_until_of(outcome)};
  if (const std::optional<MtaName> remote = remote_mta_of(outcome)) {
    fate.remote_mta = remote->name;
  }
  return fate;
}

Action action_for(Last last) {
  switch (last) {
    case Last::deferred:
      return Action::delayed;
    case Last::bounced:
      return Action::failed;
    case Last::delivered:
      return Action::delivered;
    case Last::relayed:
      return Action::relayed;
    case Last::transferred:
      return Action::transferred;
    case Last::forwarded:
    case Last::discarded:
    case Last::unknown:
      break;
  }
  return Action::opaque;
}

struct Said {
  Last last;
  EnhancedStatus status;
  std::string remote_mta;
};

std::optional<Said> said_by(const maillog::DeliveryEvent& event, const TracePolicy& policy) {
  const Attempt& attempt = std::get<Attempt>(event.what);
  if (event.mta == Mta::sendmail) {
    if (auto meaning = maillog::sendmail_meaning_of(attempt, policy.gates)) {
      return Said{meaning->last, meaning->status, std::move(meaning->remote_mta)};
    }
    return std::nullopt;
  }
  if (auto meaning = maillog::meaning_of(attempt, policy.filters, policy.gates)) {
    return Said{meaning->last, meaning->status, std::move(meaning->remote_mta)};
  }
  return std::nullopt;
}

// MemberFates collects the addresses that a recipient stands for, as the attempts on them show, in
// the order in which the log names them. If mail was passed on to a queue id that is followed, the
// lines of that id show its fate.
class MemberFates {
 public:
  MemberFates(const std::vector<const Story::Line*>& lines,
              const std::vector<std::string>& via,
              const TracePolicy& policy)
      : policy_(policy), via_(via) {
    for (const Story::Line* line : lines) {
      if (std::holds_alternative<Attempt>(line->event().what)) {
        add(line->event());
      } else if (std::holds_alternative<GaveUp>(line->event().what)) {
        give_up(line->event().queue_id);
      }
    }
  }

  std::vector<Member> take() && {
    std::vector<Member> members;
    for (Entry& entry : entries_) {
      if (!entry.handed_on || entry.filtered) {
        members.push_back(std::move(entry.member));
      }
    }
    return members;
  }

 private:
  struct Entry {
    std::string queue_id;
    Member member;
    bool handed_on = false;
    bool filtered = false;
  };

  void add(const maillog::DeliveryEvent& event) {
    const Attempt& attempt = std::get<Attempt>(event.what);
    const std::optional<Said> said = said_by(event, policy_);
    if (!said) {
      return;
    }
    // A mailbox, commands and files may belong to one recipient; local(8) names them in its text.
    std::string key = match_key(attempt.recipient);
    if (attempt.agent == "local" && said->last == Last::delivered) {
      key += attempt.text;
    }
    Entry& entry = entry_for(key);
    const bool follows = std::find(via_.begin(), via_.end(), attempt.queued_as) != via_.end();
    entry.queue_id = event.queue_id;
    entry.handed_on = said->last == Last::forwarded || follows;
    entry.filtered = follows;
    entry.member.address = attempt.recipient;
    entry.member.fate = {action_for(said->last), said->status, said->remote_mta,
                         std::chrono::floor<Seconds>(event.at), std::nullopt};
    const bool taken = said->last == Last::delivered || said->last == Last::relayed;
    entry.member.words = taken && attempt.agent != "local" ? std::string_view() : attempt.text;
    if (said->last == Last::relayed) {
      entry.member.fate.status = kRelayedStatus;
    }
    if (entry.filtered) {  // until an attempt of the id under which it came back says more
      entry.member.fate = {Action::delayed, {4, 0, 0}, {}, std::nullopt, std::nullopt};
    }
  }
  Entry& entry_for(const std::string& key) {
    const auto [known, fresh] = index_.try_emplace(key, entries_.size());
    if (fresh) {
      entries_.emplace_back();
    }
    return entries_[known->second];
  }
  void give_up(std::string_view queue_id) {
    for (Entry& entry : entries_) {
      if (entry.queue_id == queue_id && entry.member.fate.action == Action::delayed) {
        entry.member.fate.action = Action::failed;
      }
    }
  }

  const TracePolicy& policy_;
  const std::vector<std::string>& via_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
};

// Returns the lines of an expansion, including those about members whose own fate the trace
// ignores.
std::vector<const Story::Line*> lines_of_expansion(const Story& story,
                                                   std::size_t recipient,
                                                   const std::vector<std::string>& via) {
  std::vector<const Story::Line*> lines;
  for (const Story::Line& line : story.lines) {
    if (is_about(line, story, recipient, via)) {
      lines.push_back(&line);
    }
  }
  return lines;
}

}  // namespace

Account account_of(const Finding& finding, const StoryTeller& teller, const TracePolicy& policy) {
  Account account{finding, std::nullopt, {}, {}, {}, {}, {}, {}, false};
  if (finding.story == nullptr || finding.standing == Standing::declined ||
      finding.standing == Standing::stranger) {
    account.reason = reason_against(finding);
    return account;
  }
  const Story& story = *finding.story;
  account.via = story.trace.via(finding.recipient);
  account.lines = story.lines_of(finding.recipient, account.via);
  account.fate = fate_from(story.trace.outcome(finding.recipient, policy));
  if (account.fate->action == Action::expanded ||
      story.trace.end(finding.recipient) == maillog::trace::End::awaited) {
    const Story& named = finding.message->named;  // it knows whose the other lines are
    const auto its = named.trace.find_recipient(finding.name);
    const Story& teller_of_members = its ? named : story;
    const std::size_t member_of = its.value_or(finding.recipient);
    account.via = teller_of_members.trace.via(member_of);
    account.lines = lines_of_expansion(teller_of_members, member_of, account.via);
    account.members = MemberFates(account.lines, account.via, policy).take();
    const auto member =
        std::find_if(account.members.begin(), account.members.end(), [&](const Member& one) {
          return !finding.target.empty() && match_key(one.address) == match_key(finding.target);
        });
    if (member != account.members.end()) {
      account.fate = member->fate;
      account.members.clear();
    }
  }
  account.open = account.fate->action == Action::delayed;
  explain_fate(account, teller);
  return account;
}

Particulars particulars_of(const Message& message) {
  Particulars particulars;
  const std::string& root = message.named.trace.root();
  for (const Story::Line& line : message.named.lines) {
    const maillog::DeliveryEvent& event = line.event();
    if (event.queue_id != root) {
      continue;
    }
    bool arrives = false;
    if (const Queued* queued = std::get_if<Queued>(&event.what)) {
      arrives = true;
      particulars.sender = queued->sender;
      particulars.size = queued->size;
      if (!queued->client.empty()) {
        particulars.client = queued->client;
        particulars.origin = "received from " + particulars.client;
      }
      if (!queued->message_id.empty()) {
        particulars.message_id = queued->message_id;
      }
    } else if (const Client* client = std::get_if<Client>(&event.what)) {
      arrives = true;
      particulars.client = client->client;
      particulars.origin = "received from " + particulars.client;
    } else if (const MessageId* id = std::get_if<MessageId>(&event.what)) {
      arrives = true;
      particulars.message_id = id->message_id;
    } else if (std::holds_alternative<Pickup>(event.what)) {
      arrives = true;
      particulars.origin = "submitted on this host";
    }
    if (arrives && !particulars.arrival) {
      particulars.arrival = event.at;
    }
  }
  if (!particulars.arrival && !message.named.lines.empty()) {
    particulars.arrival = message.named.lines.front().event().at;
  }
  particulars.recipients = counted_recipients(message);
  return particulars;
}

std::string why_unknown(std::string_view queue_id, const StoryTeller::Messages& messages) {
  const std::string id(queue_id);
  for (const std::unique_ptr<Message>& message : messages) {
    const Story& story = message->named;
    if (story.trace.refused()) {
      return id + ": refused or discarded after all: " +
             (story.lines.empty() ? "" : std::string(story.lines.back().text()));
    }
    for (const Story::Line& line : story.lines) {
      if (std::holds_alternative<Declined>(line.event().what)) {
        return id + ": refused at RCPT: " + std::string(line.text());
      }
    }
  }
  if (messages.empty()) {
    return id + ": not in the log";
  }
  return id + ": a client began it, but nothing shows that it was accepted";
}

}  // namespace mtrk
