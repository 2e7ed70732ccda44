#include "common/maillog/sendmail_record.h"

#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/sendmail_log.h"
#include "common/track/queue_id.h"

#include <algorithm>
#include <cstdint>

namespace mtrk::maillog {
namespace {

using What = decltype(DeliveryEvent::what);

constexpr std::string_view kStat = ", stat=";

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The value of an escape at text[i], behind its backslash; moves i behind the escape.
char unescape(std::string_view text, std::size_t& i) {
  const char c = text[i];
  if (i + 2 < text.size() && c <= '3' && is_octal(c) && is_octal(text[i + 1]) &&
      is_octal(text[i + 2])) {
    const int value = (c - '0') * 64 + (text[i + 1] - '0') * 8 + (text[i + 2] - '0');
    i += 3;
    return static_cast<char>(value);
  }
  ++i;
  return c == 't' ? '\t' : c == 'n' || c == 'r' ? '\n' : c;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// "[D+]HH:MM:SS"
bool is_interval(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!parse_number<std::uint32_t>(text.substr(0, plus))) {
      return false;
    }
    text.remove_prefix(plus + 1);
  }
  if (text.size() != 8) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_digit(text[i])) {
      return false;
    }
  }
  return true;
}

// "NAME (uid/gid)" without the latter.
std::string_view without_uid(std::string_view controlling) {
  const std::size_t open = controlling.rfind(" (");
  const bool uid = open != std::string_view::npos && controlling.back() == ')' &&
                   controlling.find_first_not_of("0123456789/", open + 2) == controlling.size() - 1;
  return uid ? controlling.substr(0, open) : controlling;
}

// "<local-part@domain>" and nothing else, quotes only where words of a local part begin and end.
bool is_path(std::string_view text) {
  std::size_t i = 1;
  while (i + 1 < text.size()) {
    const char c = text[i];
    if (c == '<' || c == '>') {
      return false;
    }
    if (c == '"') {
      constexpr std::string_view kBefore = "<.:";
      constexpr std::string_view kAfter = ".@>";
      const bool begins = kBefore.find(text[i - 1]) != std::string_view::npos;
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        i += text[i] == '\\' ? 1U : 0U;
      }
      if (!begins || i + 1 >= text.size() || kAfter.find(text[i + 1]) == std::string_view::npos) {
        return false;
      }
    } else if (c == '\\') {
      ++i;
    }
    ++i;
  }
  return text.back() == '>';
}

// "A[,A…][ [more]], ", all of it.
bool take_recipients(std::string_view& rest, SendmailDelivery& delivery) {
  constexpr std::string_view kMore = " [more], ";
  for (;;) {
    const std::optional<std::string_view> address = take_sendmail_address(rest);
    // A list that was cut within quotes goes on in quotes to the end, or to a quote in the reply.
    if (!address || address->empty() || address->find(kMore) != std::string_view::npos ||
        rest.size() < 2 || (address->front() == '<' && !is_path(*address))) {
      return false;
    }
    delivery.recipients.push_back(*address);
    rest.remove_prefix(1);
    if (rest.substr(0, kMore.size()) == kMore) {
      rest.remove_prefix(kMore.size());
      return true;
    }
    if (rest[0] == ' ') {
      rest.remove_prefix(1);
      return true;
    }
  }
}

bool take_controlling(std::string_view& rest, Attempt& attempt) {
  constexpr std::string_view kKey = "ctladdr=";
  if (rest.substr(0, kKey.size()) != kKey) {
    return true;
  }
  rest.remove_prefix(kKey.size());
  const std::optional<std::string_view> address = take_sendmail_address(rest);
  if (!address || address->empty() || rest.substr(0, 2) != ", ") {
    return false;
  }
  rest.remove_prefix(2);
  const SendmailAddress controlling = without_brackets(without_uid(*address));
  attempt.original = controlling.address;
  attempt.original_bracketed = controlling.bracketed;
  return true;
}

bool take_optional(FieldScanner& scan, std::string_view key, std::string_view& value) {
  if (!scan.take(key)) {
    return true;
  }
  const std::optional<std::string_view> field = scan.take_field();
  value = field.value_or(std::string_view());
  return field.has_value();
}

// reply= goes to where stat= begins. Both may hold anything; stat= repeats the reply if it defers.
bool take_reply(std::string_view rest, Attempt& attempt) {
  std::size_t stat = rest.rfind(kStat);
  if (attempt.dsn && attempt.dsn->status_class == 4) {
    constexpr std::string_view kDeferred = ", stat=Deferred";
    stat = std::min(rest.find(kDeferred), stat);
  }
  if (stat == std::string_view::npos) {
    return false;
  }
  attempt.replied = true;
  attempt.text = rest.substr(0, stat);
  attempt.status = rest.substr(stat + kStat.size());
  return true;
}

// What stat= says of the other side: "Sent (X)", "Deferred: X".
void split_status(Attempt& attempt) {
  constexpr std::string_view kSent = "Sent (";
  constexpr std::string_view kDeferred = "Deferred: ";
  const std::string_view status = attempt.status;
  if (status.substr(0, kSent.size()) == kSent && status.back() == ')') {
    attempt.text = status.substr(kSent.size(), status.size() - kSent.size() - 1);
  } else if (status.substr(0, kDeferred.size()) == kDeferred) {
    attempt.text = status.substr(kDeferred.size());
  }
}

// The id that the next hop says it gave the message: Sendmail's "ID Message accepted for delivery",
// or "… queued as ID". A claim, no proof.
std::string_view queued_id(const Attempt& attempt) {
  constexpr std::string_view kAccepted = " Message accepted for delivery";
  constexpr std::string_view kQueued = "queued as ";
  if (attempt.status.substr(0, 6) != "Sent (") {
    return {};
  }
  const std::string_view text = attempt.text;
  std::string_view id;
  if (const std::size_t accepted = text.find(kAccepted); accepted != std::string_view::npos) {
    id = text.substr(0, accepted);
    id.remove_prefix(std::min(id.rfind(' ') + 1, id.size()));
  } else if (const std::size_t queued = text.rfind(kQueued); queued != std::string_view::npos) {
    id = text.substr(queued + kQueued.size());
  }
  return QueueId::is_queue_id(id) ? id : std::string_view();
}

// Takes the last ", key=value" off the end of `text`.
std::string_view take_last(std::string_view& text, std::string_view key) {
  const std::size_t at = text.rfind(key);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view value = text.substr(at + key.size());
  text = text.substr(0, at);
  return value;
}

// from=S, size=N, class=N, nrcpts=N[, msgid=M][, bodytype=B][, proto=P][, daemon=D], relay=R. The
// message id is the sender's text: what follows it is read from the end.
std::optional<What> parse_from(std::string_view rest) {
  const std::optional<std::string_view> sender = take_sendmail_address(rest);
  FieldScanner scan(rest);
  if (!sender || !scan.take(", size=") || !parse_number<std::uint64_t>(scan.take_word()) ||
      !scan.take(", class=") || scan.take_word().empty() || !scan.take(", nrcpts=")) {
    return std::nullopt;
  }
  const std::optional<std::uint32_t> recipients = parse_number<std::uint32_t>(scan.take_word());
  if (!recipients) {
    return std::nullopt;
  }
  Queued queued{without_brackets(*sender).address, *recipients, {}, {}};
  const bool has_id = scan.take(", msgid=");
  std::string_view text = scan.rest();
  queued.client = take_last(text, ", relay=");
  queued.client = queued.client.substr(0, queued.client.find(", "));
  for (const std::string_view key : {", daemon=", ", proto=", ", bodytype="}) {
    take_last(text, key);
  }
  if (has_id) {
    queued.message_id = text;
  }
  return queued;
}

Rejected refused(std::string_view text) {
  return {Verdict::refused, text};
}
Rejected discarded(std::string_view text) {
  return {Verdict::discarded, text};
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// "to=A, reject=…", "data, reject=…", "data, discard", …
std::optional<What> parse_milter(std::string_view text) {
  std::string_view rest = text;
  if (ends_with(text, ", discard")) {
    return discarded(text);
  }
  if (rest.substr(0, 3) == "to=") {
    rest.remove_prefix(3);
    const std::optional<std::string_view> recipient = take_sendmail_address(rest);
    FieldScanner scan(rest);
    if (!recipient || !scan.take(", reject=")) {
      return std::nullopt;
    }
    return Declined{without_brackets(*recipient).address, scan.rest()};
  }
  return rest.find(", reject=") == std::string_view::npos ? std::nullopt
                                                          : std::optional<What>(refused(text));
}

// NAME, arg1=A[, arg2=B], relay=R, reject=… | discard | quarantine=…
std::optional<What> parse_ruleset(std::string_view text) {
  constexpr std::string_view kReject = ", reject=";
  FieldScanner scan(text);
  const std::optional<std::string_view> name = scan.take_field();
  if (!name) {
    return std::nullopt;
  }
  if (ends_with(text, ", discard")) {
    return discarded(text);
  }
  const std::size_t reject = text.rfind(kReject);
  if (reject == std::string_view::npos) {
    return std::nullopt;
  }
  if (*name != "check_rcpt") {
    return refused(text);
  }
  std::string_view argument = scan.rest();
  constexpr std::string_view kArgument = "arg1=";
  if (argument.substr(0, kArgument.size()) != kArgument) {
    return std::nullopt;
  }
  argument.remove_prefix(kArgument.size());
  const std::optional<std::string_view> recipient = take_sendmail_address(argument);
  if (!recipient) {
    return std::nullopt;
  }
  return Declined{without_brackets(*recipient).address, text.substr(reject + kReject.size())};
}

// "A => B, C"
std::optional<What> parse_redirection(std::string_view kind, std::string_view rest) {
  constexpr std::string_view kArrow = " => ";
  const std::size_t arrow = rest.find(kArrow);
  if (arrow == std::string_view::npos || arrow + kArrow.size() == rest.size()) {
    return std::nullopt;
  }
  const SendmailAddress from = without_brackets(rest.substr(0, arrow));
  return Redirection{kind, from.address, from.bracketed, rest.substr(arrow + kArrow.size())};
}

// "count=1, id=N" | "maxrcpts=3, rcpts=7, count=2, ids=N1; N2"
std::optional<What> parse_split(std::string_view rest) {
  FieldScanner scan(rest);
  while (!scan.take("id=") && !scan.take("ids=")) {
    if (!scan.take_field()) {
      return std::nullopt;
    }
  }
  return Split{scan.rest()};
}

// "<A>... why": the answer to RCPT.
std::optional<What> parse_answer(std::string_view text) {
  FieldScanner scan(text);
  const std::optional<std::string_view> recipient = scan.take_address();
  if (!recipient || !scan.take("... ")) {
    return std::nullopt;
  }
  return Declined{*recipient, scan.rest()};
}

bool is_expiry(std::string_view text) {
  return text.substr(0, 20) == "Cannot send message " ||
         text.substr(0, 22) == "delivery time expired ";
}

// "NEW: clone: owner=O", "NEW: DSN: text", …
std::optional<What> parse_child(std::string_view text) {
  const std::string_view child = take_sendmail_id(text);
  if (child.empty()) {
    return std::nullopt;
  }
  FieldScanner scan(text);
  if (scan.take("clone: owner=")) {
    return Cloned{child, scan.rest()};
  }
  for (const std::string_view kind :
       {"DSN", "return to sender", "sender notify", "postmaster notify"}) {
    if (scan.take(kind) && scan.take(": ")) {
      if (is_expiry(scan.rest())) {
        return GaveUp{"expired", child, scan.rest()};
      }
      return Notification{kind, child, scan.rest()};
    }
  }
  return std::nullopt;
}

// The client was gone before the message was complete.
bool is_broken_off(std::string_view text) {
  return text.substr(0, 21) == "collect: premature EO" ||
         text.substr(0, 25) == "collect: unexpected close" ||
         (text.substr(0, 31) == "timeout waiting for input from " &&
          ends_with(text, "during message collect"));
}

}  // namespace

void decode_log_text(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size();) {
    char c = text[i++];
    if (c == '\\' && i < text.size()) {
      c = unescape(text, i);
    }
    out += is_control(c) ? '?' : c;
  }
}

std::optional<std::string_view> take_sendmail_address(std::string_view& text) {
  const bool plain =
      !text.empty() && (text[0] == '|' || text[0] == '/' || text[0] == ':');  // no brackets
  bool quoted = false;
  bool bracketed = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '<' && !plain) {
      bracketed = true;
    } else if (c == '>') {
      bracketed = false;
    } else if (c == ',' && !bracketed) {
      break;
    }
  }
  if (quoted || bracketed) {
    return std::nullopt;
  }
  const std::string_view address = text.substr(0, i);
  text.remove_prefix(i);
  return address;
}

SendmailAddress without_brackets(std::string_view address) {
  const bool bracketed = address.size() >= 2 && address.front() == '<' && address.back() == '>';
  return {bracketed ? address.substr(1, address.size() - 2) : address, bracketed};
}

std::vector<std::string_view> sendmail_targets(std::string_view targets, std::size_t most) {
  std::vector<std::string_view> members;
  while (!targets.empty() && members.size() < most) {
    const std::optional<std::string_view> member = take_sendmail_address(targets);
    const std::string_view name = trim(member.value_or(targets));
    if (!name.empty()) {
      members.push_back(name);
    }
    if (!member) {
      break;  // cut by the log
    }
    targets.remove_prefix(targets.empty() ? 0 : 1);
  }
  return members;
}

bool parse_sendmail_delivery(std::string_view text, SendmailDelivery& delivery) {
  Attempt& attempt = delivery.attempt;
  if (text.substr(0, 3) != "to=") {
    return false;
  }
  text.remove_prefix(3);
  if (!take_recipients(text, delivery) || !take_controlling(text, attempt)) {
    return false;
  }
  FieldScanner scan(text);
  if (!scan.take("delay=")) {
    return false;
  }
  attempt.delay = scan.take_field().value_or(std::string_view());
  if (!is_interval(attempt.delay)) {
    return false;
  }
  std::string_view ignored;
  std::string_view dsn;
  if (!take_optional(scan, "xdelay=", ignored) || !take_optional(scan, "mailer=", attempt.agent) ||
      !take_optional(scan, "pri=", ignored) || !take_optional(scan, "relay=", attempt.relay) ||
      !take_optional(scan, "quarantine=", ignored) || !take_optional(scan, "dsn=", dsn)) {
    return false;
  }
  if (dsn.data() != nullptr) {  // the key was there
    attempt.dsn = parse_enhanced_status(dsn);
    if (!attempt.dsn) {
      return false;
    }
  }
  if (scan.take("reply=")) {
    return take_reply(scan.rest(), attempt);
  }
  if (!scan.take("stat=") || scan.at_end()) {
    return false;
  }
  attempt.status = scan.rest();
  split_status(attempt);
  attempt.queued_as = queued_id(attempt);
  return true;
}

std::optional<What> parse_sendmail_other(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  if (std::optional<What> child = parse_child(text)) {
    return child;
  }
  FieldScanner scan(text);
  switch (text[0]) {
    case '<':
      return parse_answer(text);
    case 'M':
      if (scan.take("Milter: ")) {
        return parse_milter(scan.rest());
      }
      if (scan.take("Milter add: rcpt: ")) {
        return Added{without_brackets(scan.rest()).address};
      }
      return std::nullopt;
    case 'a':
      return scan.take("alias ") ? parse_redirection("alias", scan.rest()) : std::nullopt;
    case 'c':
    case 't':
      return is_broken_off(text) ? std::optional<What>(refused(text)) : std::nullopt;
    case 'd':
      if (text == "discarded") {
        return discarded(text);
      }
      return scan.take("done; ") ? std::optional<What>(Removed{"sendmail"}) : std::nullopt;
    case 'f':
      if (scan.take("forward ")) {
        return parse_redirection("forward", scan.rest());
      }
      return scan.take("from=") ? parse_from(scan.rest()) : std::nullopt;
    case 'q':
      return scan.take("quarantine=") ? std::optional<What>(Held{}) : std::nullopt;
    case 'r':
      return scan.take("ruleset=") ? parse_ruleset(scan.rest()) : std::nullopt;
    case 's':
      return scan.take("split: ") ? parse_split(scan.rest()) : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace mtrk::maillog
