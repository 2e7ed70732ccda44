#include "milter/ctl/reason.h"

#include "common/maillog/attempt_meaning.h"

#include <algorithm>

namespace mtrk {
namespace {

using maillog::Attempt;
using maillog::Declined;
using maillog::DeliveryEvent;
using maillog::ForcedExpiry;
using maillog::GaveUp;
using maillog::Held;
using maillog::Pickup;
using maillog::Released;
using maillog::Removed;
using maillog::trace::Basis;
using maillog::trace::End;

constexpr std::size_t kMostNamed = 5;  // recipients named in one sentence

// Facts are what the lines of one recipient say together.
struct Facts {
  bool sendmail = false;
  bool queued = false;     // Sendmail's last line about it says that it was queued
  bool discarded = false;  // that line says that it was discarded
  bool held = false;
  bool gave_up = false;
  bool forced = false;
  bool deleted = false;
  const Attempt* last = nullptr;
};

Facts facts_of(const Account& account) {
  Facts facts;
  for (const Story::Line* line : account.lines) {
    const DeliveryEvent& event = line->event();
    facts.sendmail = facts.sendmail || event.mta == Mta::sendmail;
    if (const Attempt* attempt = std::get_if<Attempt>(&event.what)) {
      facts.queued = attempt->status == "queued";
      facts.discarded = attempt->status == "discarded";
      // Sendmail does not log the release.
      facts.held = attempt->status == "quarantined" || (facts.held && event.mta == Mta::postfix);
      if (account.finding.target.empty() || attempt->recipient == account.finding.target ||
          facts.last == nullptr) {
        facts.last = attempt;
      }
    } else if (const GaveUp* gave_up = std::get_if<GaveUp>(&event.what)) {
      facts.gave_up = true;
      facts.forced = facts.forced || gave_up->status == "force-expired";
    } else if (std::holds_alternative<ForcedExpiry>(event.what)) {
      facts.forced = true;
    } else if (std::holds_alternative<Held>(event.what)) {
      facts.held = true;
    } else if (std::holds_alternative<Released>(event.what) ||
               std::holds_alternative<Pickup>(event.what)) {  // requeued, also from hold
      facts.held = false;
    } else if (const Removed* removed = std::get_if<Removed>(&event.what)) {
      facts.deleted = facts.deleted || removed->by == "postsuper";
    }
  }
  return facts;
}

std::string reason_for_failure(const Fate& fate, const Facts& facts) {
  constexpr EnhancedStatus kExpired{4, 4, 7};
  constexpr EnhancedStatus kLoop{5, 4, 6};
  if (facts.gave_up && facts.forced) {
    return "the administrator expired it, and it was returned to the sender";
  }
  if (facts.gave_up) {
    return "it was in the queue for too long, and was returned to the sender";
  }
  if (facts.sendmail && fate.status == kExpired) {
    return "it was put off until its queue file was gone";
  }
  if (facts.sendmail && fate.status == kLoop && facts.last == nullptr) {
    return "its aliases lead in circles";
  }
  return fate.remote_mta.empty() ? "it was refused for good" : "the next hop refused it for good";
}

// Recorded says what the records of attempts show about a recipient for whom none of them was made.
enum class Recorded { nothing, queued, others };

Recorded recorded(const Account& account) {
  const std::string key = maillog::match_key(account.finding.name);
  Recorded result = Recorded::nothing;
  for (const Story::Line& line : account.finding.message->named.lines) {
    const Attempt* attempt = std::get_if<Attempt>(&line.event().what);
    if (attempt == nullptr) {
      continue;
    }
    if (maillog::match_key(attempt->recipient) == key && attempt->status == "queued") {
      return Recorded::queued;
    }
    result = Recorded::others;
  }
  return result;
}

std::string reason_for_delay(const Account& account, const Facts& facts) {
  if (facts.held) {
    return "it is on hold until the administrator releases it";
  }
  if (account.fate->last_attempt) {
    return "the last attempt was put off; it will be tried again";
  }
  if (account.finding.name.empty()) {
    return "it was accepted and is in the queue; nothing was tried yet";
  }
  if (facts.queued) {
    return "it was queued, and nothing was tried yet";
  }
  switch (recorded(account)) {
    case Recorded::nothing:
      return "nothing was tried yet";
    case Recorded::queued:
      return "it was queued, and nothing was tried yet";
    case Recorded::others:
      break;
  }
  return facts.sendmail ? "no record can be told to be its own (LogLevel 11 says more)"
                        : "nothing was tried yet";
}

// Returns what the action alone does not say, or an empty text if it says everything.
std::string reason_by_end(End end, Action action) {
  switch (end) {
    case End::discarded:
      return "it was thrown away, as this host is told to: nobody got it";
    case End::filter:
      return "a content filter took it, and did not hand it back in this log";
    case End::doubtful:
      return action == Action::opaque
                 ? "it was handed on and came back, and the log does not say what became of it"
                 : "it was handed on and came back, and the log does not say which is which";
    case End::awaited:
      return "it leads to another address, maybe to several: the log does not show all of them yet";
    case End::usual:
      break;
  }
  return "";
}

std::string reason_for(const Account& account, const Facts& facts) {
  switch (account.fate->action) {
    case Action::delivered:
      return "the final delivery agent took it";
    case Action::relayed:
      return "another host took it; what became of it there is not in this log";
    case Action::expanded:
      return account.members.empty()
                 ? "it is an alias or a list of several addresses; what became of them is not known"
                 : "it is an alias or a list of several addresses";
    case Action::failed:
      return reason_for_failure(*account.fate, facts);
    case Action::delayed:
      return reason_for_delay(account, facts);
    case Action::opaque:
      if (facts.discarded) {
        return "it was discarded: it left the queue, and nobody got it";
      }
      if (facts.last != nullptr && facts.last->status.starts_with("sent") && !facts.deleted) {
        return "it was handed on, and the log does not say to whom";
      }
      return facts.deleted ? "the administrator deleted it before an outcome"
                           : "it left the queue, and the log has no outcome for it";
    case Action::transferred:
      return "the next hop took it and tracks it further; ask there";
  }
  return "";
}

// A reply may name the queue id that the next hop gave to the message. If this log knows that id,
// the story continues there, but nothing proves it, because the other host wrote the text.
void note_named_id(const Account& account,
                   const Facts& facts,
                   const StoryTeller& teller,
                   std::string& reason,
                   std::vector<std::string>& notes) {
  const std::string_view id = facts.last == nullptr ? std::string_view() : facts.last->queued_as;
  if (account.fate->action != Action::relayed || id.empty() || !QueueId::is_queue_id(id) ||
      std::find(account.via.begin(), account.via.end(), id) != account.via.end() ||
      !teller.is_recent(id)) {
    return;
  }
  reason = "another host took it";
  notes.push_back("its reply names the queue id " + std::string(id) +
                  ", which is in this log: see that one; if that host is your content filter, set "
                  "log.filters to its address");
}

void note_basis(Basis basis, std::vector<std::string>& notes) {
  switch (basis) {
    case Basis::redirection:
      notes.emplace_back("known by the alias and forward records that lead there");
      break;
    case Basis::owner:
      notes.emplace_back("known by ctladdr=: the records were made for it");
      break;
    case Basis::elimination:
      notes.emplace_back(
          "known by elimination: no record names it, and these can be nobody else's");
      break;
    case Basis::record:
      break;
  }
}

void note_unnamed(const Account& account, std::vector<std::string>& notes) {
  const Message& message = *account.finding.message;
  const std::size_t named = named_recipients(message).size();
  if (account.finding.standing != Standing::possible || named == 0 || account.fate->last_attempt) {
    return;
  }
  const std::uint32_t unnamed = unnamed_recipients(message).value_or(0);
  notes.push_back("no line names it; the log names " + std::to_string(named) +
                  (unnamed > 0 ? " of " + std::to_string(named + unnamed) : std::string()) +
                  " recipients: " + names_of(message));
}

}  // namespace

std::string names_of(const Message& message) {
  const std::vector<std::size_t> named = named_recipients(message);
  std::string text;
  for (std::size_t i = 0; i < std::min(named.size(), kMostNamed); ++i) {
    text += (i == 0 ? "" : ", ") + message.named.trace.recipients()[named[i]];
  }
  if (named.size() > kMostNamed) {
    text += " and " + std::to_string(named.size() - kMostNamed) + " more";
  }
  return text;
}

void explain_fate(Account& account, const StoryTeller& teller) {
  const Facts facts = facts_of(account);
  if (facts.held) {  // a held message is not tried and does not expire
    account.fate->will_retry_until.reset();
  }
  const maillog::DeliveryTrace& trace = account.finding.story->trace;
  End end = trace.end(account.finding.recipient);
  if (end == End::awaited && !account.finding.target.empty()) {
    end = End::usual;  // the fate of the member itself is known
  }
  account.reason = reason_by_end(end, account.fate->action);
  if (account.reason.empty()) {
    account.reason = reason_for(account, facts);
  }
  const Action action = account.fate->action;
  const bool said = action == Action::failed || (end != End::usual && end != End::awaited) ||
                    (action == Action::opaque && !facts.deleted) ||
                    (action == Action::delayed && account.fate->last_attempt && !facts.held);
  if (facts.last != nullptr && said) {
    account.words = facts.last->text;
  }
  note_named_id(account, facts, teller, account.reason, account.notes);
  note_basis(account.finding.story->trace.basis(account.finding.recipient), account.notes);
  note_unnamed(account, account.notes);
}

std::string reason_against(const Finding& finding) {
  if (finding.standing == Standing::declined) {
    for (const Story::Line& line : finding.message->named.lines) {
      const Declined* declined = std::get_if<Declined>(&line.event().what);
      if (declined != nullptr && declined->recipient == finding.name) {
        return "refused at RCPT: " + std::string(line.text());
      }
    }
    return "refused at RCPT";
  }
  const std::size_t count = named_recipients(*finding.message).size();
  return "not a recipient of this message (" + std::to_string(count) +
         (count == 1 ? " recipient: " : " recipients: ") + names_of(*finding.message) + ")";
}

}  // namespace mtrk
