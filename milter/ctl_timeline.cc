#include "milter/ctl_timeline.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <optional>
#include <variant>

namespace mtrk {
namespace {

using maillog::Added;
using maillog::Attempt;
using maillog::Client;
using maillog::Cloned;
using maillog::Declined;
using maillog::DeliveryEvent;
using maillog::ForcedExpiry;
using maillog::GaveUp;
using maillog::Held;
using maillog::MessageId;
using maillog::Notification;
using maillog::Pickup;
using maillog::Queued;
using maillog::Redirection;
using maillog::Rejected;
using maillog::Released;
using maillog::Removed;
using maillog::Requeued;
using maillog::Split;
using maillog::TracePolicy;
using maillog::Verdict;
using maillog::trace::Basis;

std::string shown(std::string_view text) {
  return escape_for_people(text, 2048);
}

// One event in words, after its time and queue id.
struct Words {
  Mta mta;

  // "esmtp Deferred 4.4.1 for <a@b> …": stat= without what it quotes of the other side, which
  // follows.
  static std::string sendmail_attempt(const Attempt& attempt) {
    const std::size_t end = attempt.text.empty() || attempt.replied
                                ? attempt.status.size()
                                : std::min(attempt.status.find(" ("), attempt.status.find(": "));
    std::string text = attempt.agent.empty() ? "delivery" : shown(attempt.agent);
    text += " " + shown(attempt.status.substr(0, end));
    if (attempt.dsn) {
      text += " " + format_enhanced_status(*attempt.dsn);
    }
    text += ", to <" + shown(attempt.recipient) + ">";
    if (!attempt.original.empty() && attempt.original != attempt.recipient) {
      text += " of <" + shown(attempt.original) + ">";
    }
    if (!attempt.relay.empty()) {
      text += ", next hop " + shown(attempt.relay);
    }
    text += ", delay " + shown(attempt.delay);
    if (!attempt.tls.empty()) {
      text += ", TLS " + shown(attempt.tls);
    }
    return attempt.text.empty() ? text : text + "\n        " + shown(attempt.text);
  }

  std::string operator()(const Attempt& attempt) const {
    if (mta == Mta::sendmail) {
      return sendmail_attempt(attempt);
    }
    std::string text = attempt.agent.empty() ? "delivery" : shown(attempt.agent);
    text += " " + shown(attempt.status);
    if (attempt.dsn) {
      text += " " + format_enhanced_status(*attempt.dsn);
    }
    if (!attempt.original.empty()) {
      text += ", rewritten to <" + shown(attempt.recipient) + ">";
    }
    if (attempt.relay != "none" && attempt.relay != attempt.agent) {
      text += ", next hop " + shown(attempt.relay);
    }
    if (!attempt.delay.empty()) {
      text += ", delay " + shown(attempt.delay) + " s";
    }
    if (!attempt.delays.empty()) {
      text += " (before queue/in queue/connect/transmit " + shown(attempt.delays) + ")";
    }
    if (!attempt.tls.empty()) {
      text += ", TLS " + shown(attempt.tls);
    }
    return text + "\n        " + shown(attempt.text);
  }
  std::string operator()(const Client& client) const {
    std::string text = "received from " + shown(client.client);
    if (!client.orig_queue_id.empty()) {
      text += ", re-injected, was " + shown(client.orig_queue_id);
    }
    return text;
  }
  std::string operator()(const Pickup& pickup) const {
    return pickup.orig_id.empty() ? "submitted locally" : "requeued, was " + shown(pickup.orig_id);
  }
  std::string operator()(const MessageId& id) const { return "Message-Id " + shown(id.message_id); }
  std::string operator()(const Queued& queued) const {
    const std::string from =
        queued.client.empty() ? "" : "received from " + shown(queued.client) + ", ";
    return from + "in the queue, " + std::to_string(queued.recipients) + " recipient" +
           (queued.recipients == 1 ? "" : "s");
  }
  std::string operator()(const GaveUp& gave_up) const {
    if (!gave_up.text.empty()) {
      return "given up, returned to the sender as " + shown(gave_up.child) + ": " +
             shown(gave_up.text);
    }
    return "given up (" + shown(gave_up.status) + "), returned to the sender";
  }
  std::string operator()(const Removed& removed) const {
    return removed.by == "postsuper" ? "deleted by the administrator" : "removed from the queue";
  }
  std::string operator()(const Rejected& rejected) const {
    return (rejected.verdict == Verdict::refused ? "refused: " : "discarded: ") +
           shown(rejected.text);
  }
  std::string operator()(const Notification& notification) const {
    if (mta == Mta::sendmail) {
      return "report (" + shown(notification.kind) + ") sent as " + shown(notification.child) +
             ": " + shown(notification.text);
    }
    return "sender was sent a " + shown(notification.kind) + " notification, " +
           shown(notification.child);
  }
  std::string operator()(const Redirection& redirection) const {
    return std::string(redirection.kind) + ": <" + shown(redirection.from) + "> is " +
           shown(redirection.targets);
  }
  std::string operator()(const Cloned& cloned) const {
    return "the list with owner " + shown(cloned.owner) + " goes on as " + shown(cloned.child);
  }
  std::string operator()(const Split& split) const {
    return "some of its recipients go on as " + shown(split.children);
  }
  std::string operator()(const Declined& declined) const {
    return "<" + shown(declined.recipient) + "> refused: " + shown(declined.text);
  }
  std::string operator()(const Added& added) const {
    return "a milter added <" + shown(added.recipient) + ">";
  }
  std::string operator()(const Held&) const { return "put on hold"; }
  std::string operator()(const Released&) const { return "released from hold"; }
  std::string operator()(const Requeued&) const { return "requeued"; }
  std::string operator()(const ForcedExpiry&) const { return "expired by the administrator"; }
};

struct Facts {
  bool sendmail = false;
  bool tried = false;
  bool queued = false;     // the last record of it says so, and no more
  bool discarded = false;  // Sendmail's word
  bool held = false;
  bool gave_up = false;
  bool deleted = false;
};

Facts facts_of(const std::vector<const Story::Line*>& lines) {
  Facts facts;
  for (const Story::Line* line : lines) {
    const DeliveryEvent* const event = &line->event();
    facts.sendmail = facts.sendmail || event->mta == Mta::sendmail;
    if (const Attempt* attempt = std::get_if<Attempt>(&event->what)) {
      facts.queued = attempt->status == "queued";
      facts.discarded = attempt->status == "discarded";
      const bool quarantined = attempt->status == "quarantined";
      facts.tried = facts.tried || !(facts.queued || facts.discarded || quarantined);
      // Sendmail does not log the release.
      facts.held = quarantined || (facts.held && event->mta == Mta::postfix);
    }
    facts.gave_up = facts.gave_up || std::holds_alternative<GaveUp>(event->what);
    if (std::holds_alternative<Held>(event->what)) {
      facts.held = true;
    } else if (std::holds_alternative<Released>(event->what) ||
               std::holds_alternative<Pickup>(
                   event->what)) {  // requeued, also out of the hold queue
      facts.held = false;
    } else if (const Removed* removed = std::get_if<Removed>(&event->what)) {
      facts.deleted = facts.deleted || removed->by == "postsuper";
    }
  }
  return facts;
}

std::string_view reason_for_failure(EnhancedStatus status, const Facts& facts) {
  constexpr EnhancedStatus kExpired{4, 4, 7};
  constexpr EnhancedStatus kLoop{5, 4, 6};
  if (facts.gave_up) {
    return "it was in the queue for too long, or expired by hand";
  }
  if (facts.sendmail && status == kExpired) {
    return "it was put off until its queue file was gone";
  }
  if (facts.sendmail && status == kLoop && !facts.tried) {
    return "its aliases lead in circles";
  }
  return "it was refused for good";
}

std::string_view reason(const Outcome& outcome, const Facts& facts) {
  switch (action_of(outcome)) {
    case Action::delivered:
      return "the final delivery agent took it";
    case Action::relayed:
      return "another host took it; what became of it there is not in this log";
    case Action::expanded:
      return "it is an alias or a list of several addresses; what became of them is not told";
    case Action::failed:
      return reason_for_failure(status_of(outcome), facts);
    case Action::delayed:
      if (facts.held) {
        return "it is on hold";
      }
      if (!last_attempt_of(outcome) && facts.queued) {
        return "it was queued, and nothing was tried yet";
      }
      if (!last_attempt_of(outcome)) {
        return facts.sendmail ? "no record can be told to be its own (LogLevel 11 says more)"
                              : "nothing was tried yet, as far as the log says";
      }
      return "the last attempt was put off; it will be tried again";
    case Action::opaque:
      if (facts.discarded) {
        return "it was discarded: it left the queue, and nobody got it";
      }
      return facts.deleted ? "the administrator deleted it before an outcome"
                           : "it left the queue, and the log has no outcome for it";
    case Action::transferred:
      break;
  }
  return "";
}

std::string_view known_by(Basis basis) {
  switch (basis) {
    case Basis::redirection:
      return "  known by the alias and forward records that lead there\n";
    case Basis::owner:
      return "  known by ctladdr=: the records were made for it\n";
    case Basis::elimination:
      return "  known by elimination: no record names it, and these can be nobody else's\n";
    case Basis::record:
      break;
  }
  return "";
}

}  // namespace

std::string timeline(const Story& story,
                     std::size_t recipient,
                     std::string_view name,
                     const TracePolicy& policy) {
  const Outcome outcome = story.trace.outcome(recipient, policy);
  const Action action = action_of(outcome);
  const std::vector<const Story::Line*> lines = story.lines_of(recipient);
  std::string text = story.trace.root() + "  <" + shown(name) + ">\n  " +
                     std::string(to_string(action)) + " " +
                     format_enhanced_status(status_of(outcome));
  if (const std::optional<MtaName> remote = remote_mta_of(outcome)) {
    text += ", next hop " + shown(remote->name);
  }
  if (const std::optional<TimePoint> at = last_attempt_of(outcome)) {
    text += ", last attempt " + format_rfc3339(*at);
  }
  if (const std::optional<TimePoint> until = will_retry_until_of(outcome)) {
    text += ", will be tried until " + format_rfc3339(*until);
  }
  text += "\n  because ";
  text += reason(outcome, facts_of(lines));
  text += '\n';
  text += known_by(story.trace.basis(recipient));
  const std::vector<std::string> via = story.trace.via(recipient);
  if (via.size() > 1) {
    text += "  followed as";
    for (std::size_t i = 1; i < via.size(); ++i) {
      text += " " + via[i];
    }
    text += '\n';
  }
  for (const Story::Line* line : lines) {
    const DeliveryEvent& event = line->event();
    text += "    " + format_rfc3339(event.at) + "  " + std::string(event.queue_id) + "  " +
            std::visit(Words{event.mta}, event.what) + "\n";
  }
  return text + "\n";
}

std::string why_unknown(const Story& story) {
  const std::string& id = story.trace.root();
  if (story.trace.refused()) {
    return id + ": refused or discarded after all: " +
           (story.lines.empty() ? "" : shown(story.lines.back().text()));
  }
  if (story.lines.empty()) {
    return id + ": not in the log";
  }
  for (const Story::Line& line : story.lines) {
    if (std::holds_alternative<Declined>(line.event().what)) {
      return id + ": refused at RCPT: " + shown(line.text());
    }
  }
  return id + ": a client began it, but nothing shows that it was accepted";
}

}  // namespace mtrk
