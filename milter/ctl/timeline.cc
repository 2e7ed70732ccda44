#include "milter/ctl/timeline.h"

#include "common/base/utf8.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <variant>
#include <vector>

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
using maillog::Verdict;

std::string shown(std::string_view text) {
  return escape_for_display(text, 2048);
}

// Puts it on one line if there is room.
std::string next_hop(std::string_view relay) {
  constexpr std::size_t kRoom = 48;
  std::string text = "next hop " + shown(relay);
  return relay.size() <= kRoom ? with_hard_blanks(std::move(text)) : text;
}

// Words describes one event, without its time and queue id. What it quotes follows a line feed.
struct Words {
  Mta mta;

  // Returns a text like "esmtp Deferred 4.4.1 for <a@b> …". It is stat= without the quoted words of
  // the other side, which follow.
  static std::string sendmail_attempt(const Attempt& attempt) {
    const std::size_t end = attempt.text.empty() || attempt.replied
                                ? attempt.status.size()
                                : std::min(attempt.status.find(" ("), attempt.status.find(": "));
    std::string text = attempt.agent.empty() ? "delivery" : shown(attempt.agent);
    text += " " + shown(attempt.status.substr(0, end));
    if (attempt.dsn) {
      text += " " + format_enhanced_status(*attempt.dsn);
    }
    text += " to <" + shown(attempt.recipient) + ">";
    if (!attempt.original.empty() && attempt.original != attempt.recipient) {
      text += " of <" + shown(attempt.original) + ">";
    }
    if (!attempt.relay.empty()) {
      text += ", " + next_hop(attempt.relay);
    }
    text += ", " + with_hard_blanks("delay " + shown(attempt.delay));
    if (!attempt.tls.empty()) {
      text += ", TLS " + shown(attempt.tls);
    }
    return attempt.text.empty() ? text : text + "\n" + shown(attempt.text);
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
    text += " to <" + shown(attempt.recipient) + ">";
    if (!attempt.original.empty()) {
      text += " for <" + shown(attempt.original) + ">";
    }
    if (attempt.relay != "none" && attempt.relay != attempt.agent) {
      text += ", " + next_hop(attempt.relay);
    }
    if (!attempt.delay.empty()) {
      text += ", " + with_hard_blanks("delay " + shown(attempt.delay) + " s");
    }
    if (!attempt.delays.empty()) {
      text += " (before queue/in queue/connect/transmit " + shown(attempt.delays) + ")";
    }
    if (!attempt.tls.empty()) {
      text += ", TLS " + shown(attempt.tls);
    }
    return text + "\n" + shown(attempt.text);
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

Paint paint_of(Action action) {
  switch (action) {
    case Action::delivered:
    case Action::relayed:
    case Action::expanded:
    case Action::transferred:
      return Paint::good;
    case Action::failed:
      return Paint::bad;
    case Action::delayed:
    case Action::opaque:
      break;
  }
  return Paint::waiting;
}

std::string_view symbol_of(Action action) {
  switch (paint_of(action)) {
    case Paint::good:
      return "\u2713 ";
    case Paint::bad:
      return "\u2717 ";
    default:
      return action == Action::delayed ? "\u2026 " : "? ";
  }
}

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

// Returns "relayed 2.1.9" followed by ", next hop mx.example.org, last attempt …".
std::string title_of(const Fate& fate) {
  return std::string(to_string(fate.action)) + " " + format_enhanced_status(fate.status);
}

std::string circumstances_of(const Fate& fate, const PageStyle& style) {
  std::string text;
  if (!fate.remote_mta.empty()) {
    text += ", next hop " + shown(fate.remote_mta);
  }
  if (fate.last_attempt) {
    text += ", " + with_hard_blanks("last attempt ") + format_for_people(*fate.last_attempt, style);
  }
  if (fate.will_retry_until) {
    text += ", " + with_hard_blanks("will be tried until ") +
            format_for_people(*fate.will_retry_until, style);
  }
  return text;
}

void add_fate(Page& page, std::size_t indent, const Fate& fate) {
  const std::string symbol(page.style().symbols ? symbol_of(fate.action) : "");
  page.add(indent, symbol + title_of(fate), paint_of(fate.action),
           circumstances_of(fate, page.style()), indent + 2);
}

void add_head(Page& page, const Message& message) {
  const Particulars particulars = particulars_of(message);
  std::string text;
  if (!message.host.empty()) {
    text += " on " + shown(message.host);
  }
  if (!message.instance.empty() && message.instance != "postfix") {
    text += " (" + shown(message.instance) + ")";
  }
  if (particulars.sender) {
    text += ", from <" + shown(*particulars.sender) + ">";
    text += ", " + counted(*particulars.size, "octet");
  }
  if (particulars.recipients) {
    text += ", " + counted(*particulars.recipients, "recipient");
  }
  page.add(0, message.named.trace.root(), Paint::bold, text, 2);
  std::string origin = particulars.origin.empty() ? "first seen" : shown(particulars.origin);
  if (particulars.arrival) {
    origin +=
        " " + format_for_people(std::chrono::floor<Seconds>(*particulars.arrival), page.style());
  }
  page.add(2, origin);
  if (!particulars.message_id.empty()) {
    page.add(2, "Message-Id " + shown(particulars.message_id));
  }
}

// Returns what to call the recipient of an account without a name.
std::string unnamed(const Message& message) {
  const std::uint32_t count = counted_recipients(message).value_or(0);
  return count == 0   ? "recipients not named in the log"
         : count == 1 ? "1 recipient, not named in the log"
                      : counted(count, "recipient") + ", not named in the log";
}

void add_account(Page& page, const Account& account, std::optional<LogTime> until) {
  const Finding& finding = account.finding;
  const bool elsewhere = finding.standing == Standing::target && finding.target != finding.name;
  if (finding.name.empty()) {
    page.add(2, unnamed(*finding.message), Paint::bold, "", 4);
  } else if (elsewhere) {
    page.add(2, "<" + shown(finding.target) + ">", Paint::bold,
             " is where <" + shown(finding.name) + "> was sent", 4);
  } else {
    page.add(2, "<" + shown(finding.name) + ">", Paint::bold, "", 4);
  }
  if (!account.fate) {
    page.add(4, shown(account.reason));
    return;
  }
  add_fate(page, 4, *account.fate);
  page.add(4, "because " + shown(account.reason) + (account.words.empty() ? "" : ":"));
  if (!account.words.empty()) {
    page.add(6, shown(account.words));
  }
  for (const std::string& note : account.notes) {
    page.add(4, shown(note));
  }
  if (account.open && until) {
    page.add(4, "as far as the log goes, until " +
                    format_for_people(std::chrono::floor<Seconds>(*until), page.style()));
  }
  if (account.via.size() > 1) {
    std::string followed = "followed as";
    for (std::size_t i = 1; i < account.via.size(); ++i) {
      followed += " " + account.via[i];
    }
    page.add(4, followed);
  }
  for (const Member& member : account.members) {
    page.add(6, "<" + shown(member.address) + ">", Paint::none, "", 8);
    add_fate(page, 8, member.fate);
    if (!member.words.empty()) {
      page.add(8, shown(member.words));
    }
  }
}

// Adds what concerns the others when all recipients were asked for and the log names only some.
void add_rest(Page& page, const Message& message, std::span<const Account> accounts) {
  const std::uint32_t rest = unnamed_recipients(message).value_or(0);
  if (rest == 0 || accounts.size() != named_recipients(message).size()) {
    return;
  }
  page.add(2, "and " + std::to_string(rest) + " more", Paint::bold, "", 4);
  page.add(4, message.removed ? "it left the queue, and no line says more"
                              : "no line names them yet, as far as the log goes");
}

// Returns the lines of all accounts in the order of time, each line once.
std::vector<const Story::Line*> lines_of_all(std::span<const Account> accounts) {
  std::vector<const Story::Line*> lines;
  std::unordered_set<const maillog::OwnedEvent*> known;
  for (const Account& account : accounts) {
    for (const Story::Line* line : account.lines) {
      if (known.insert(line->said.get()).second) {
        lines.push_back(line);
      }
    }
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Story::Line* a, const Story::Line* b) {
    return a->event().at < b->event().at;
  });
  return lines;
}

void add_lines(Page& page, const std::vector<const Story::Line*>& lines) {
  constexpr std::size_t kTimes = 4;   // the column of the times
  constexpr std::size_t kTexts = 16;  // the column of further lines of text
  std::size_t ids = 0;                // columns of the queue ids, if there are several
  const bool several = std::any_of(lines.begin(), lines.end(), [&](const Story::Line* line) {
    return line->event().queue_id != lines.front()->event().queue_id;
  });
  for (const Story::Line* line : lines) {
    ids = several ? std::max(ids, line->event().queue_id.size() + 2) : 0;
  }
  std::string day;
  for (const Story::Line* line : lines) {
    const DeliveryEvent& event = line->event();
    const TimePoint at = std::chrono::floor<Seconds>(event.at);
    if (std::string its = format_day(at, page.style()); its != day) {
      day = std::move(its);
      page.add(2, day, Paint::faint, "", 2);
    }
    std::string lead = format_time_of_day(at, page.style()) + "  ";
    if (several) {
      lead += event.queue_id;
      lead.append(ids - event.queue_id.size(), ' ');
    }
    const std::string words = std::visit(Words{event.mta}, event.what);
    const std::size_t quote = words.find('\n');
    page.add(kTimes, lead, Paint::none, words.substr(0, quote), kTexts);
    if (quote != std::string::npos && quote + 1 < words.size()) {
      page.add(kTexts, {}, Paint::none, words.substr(quote + 1), kTexts);
    }
  }
}

}  // namespace

void add_story(Page& page,
               const Message& message,
               std::span<const Account> accounts,
               std::optional<LogTime> until) {
  add_head(page, message);
  page.add_blank_line();
  for (const Account& account : accounts) {
    add_account(page, account, until);
  }
  add_rest(page, message, accounts);
  const std::vector<const Story::Line*> lines = lines_of_all(accounts);
  if (!lines.empty()) {
    page.add_blank_line();
    add_lines(page, lines);
  }
  page.add_blank_line();
}

}  // namespace mtrk
