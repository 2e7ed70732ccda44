#include "common/maillog/sendmail_record.h"

#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/other_field.h"
#include "common/maillog/record_end.h"
#include "common/maillog/sendmail_log.h"

#include <cstdint>

namespace mtrk::maillog {
namespace {

using What = decltype(DeliveryEvent::what);

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

// Takes ", key" if it comes next after unknown fields.
bool take_key(FieldScanner& scan, std::string_view key) {
  FieldScanner next = scan;
  if (!next.take(", ")) {
    return false;
  }
  while (!next.take(key)) {
    if (!take_other_field(next)) {
      return false;
    }
  }
  scan = next;
  return true;
}

// Returns the message id without the fields that builds with further options write after it.
std::string_view message_id_of(std::string_view text) {
  while (!text.empty() && text[0] == '<' && text.back() != '>') {
    const std::size_t field = text.rfind(", ");
    if (field == std::string_view::npos) {
      return up_to_last(text, '>').value_or(text);
    }
    text = text.substr(0, field);
  }
  return text;
}

// Parses from=S, size=N, class=N, nrcpts=N[, msgid=M][, bodytype=B][, proto=P][, daemon=D],
// relay=R. The message id is text of the sender, so what follows it is read from the end.
std::optional<What> parse_from(std::string_view rest) {
  const std::optional<std::string_view> sender = take_sendmail_address(rest);
  FieldScanner scan(rest);
  if (!sender || !take_key(scan, "size=")) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> size = parse_number<std::uint64_t>(scan.take_word());
  if (!size || !take_key(scan, "class=") || scan.take_word().empty() ||
      !take_key(scan, "nrcpts=")) {
    return std::nullopt;
  }
  const std::optional<std::uint32_t> recipients = parse_number<std::uint32_t>(scan.take_word());
  if (!recipients) {
    return std::nullopt;
  }
  Queued queued{without_brackets(*sender).address, *recipients, {}, {}, *size};
  const bool has_id = scan.take(", msgid=");
  std::string_view text = scan.rest();
  queued.client = take_last(text, ", relay=");
  queued.client = queued.client.substr(0, queued.client.find(", "));
  queued.client = up_to_last(queued.client, ']').value_or(queued.client);
  for (const std::string_view key : {", daemon=", ", proto=", ", bodytype="}) {
    take_last(text, key);
  }
  if (has_id) {
    queued.message_id = message_id_of(text);
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

bool ends_in_discard(std::string_view text) {
  constexpr std::string_view kDiscard = ", discard";
  const std::size_t last = text.rfind(kDiscard);
  return last != std::string_view::npos && is_litter(text.substr(last + kDiscard.size()));
}

// Parses "to=A, reject=…", "data, reject=…", "data, discard", …
std::optional<What> parse_milter(std::string_view text) {
  std::string_view rest = text;
  if (ends_in_discard(text)) {
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

// Parses NAME, arg1=A[, arg2=B], relay=R, reject=… | discard | quarantine=…
std::optional<What> parse_ruleset(std::string_view text) {
  constexpr std::string_view kReject = ", reject=";
  FieldScanner scan(text);
  const std::optional<std::string_view> name = scan.take_field();
  if (!name) {
    return std::nullopt;
  }
  if (ends_in_discard(text)) {
    return discarded(text);
  }
  const std::size_t reject = text.rfind(kReject);
  if (reject == std::string_view::npos) {
    const bool held = text.find(", quarantine=") != std::string_view::npos;
    return held ? std::optional<What>(Held{}) : std::nullopt;
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

// Parses "A => B, C".
std::optional<What> parse_redirection(std::string_view kind, std::string_view rest) {
  constexpr std::string_view kArrow = " => ";
  const std::size_t arrow = rest.find(kArrow);
  if (arrow == std::string_view::npos || arrow + kArrow.size() == rest.size()) {
    return std::nullopt;
  }
  const SendmailAddress from = without_brackets(rest.substr(0, arrow));
  return Redirection{kind, from.address, from.bracketed, rest.substr(arrow + kArrow.size())};
}

// Parses "count=1, id=N" | "maxrcpts=3, rcpts=7, count=2, ids=N1; N2"
std::optional<What> parse_split(std::string_view rest) {
  FieldScanner scan(rest);
  while (!scan.take("id=") && !scan.take("ids=")) {
    if (!scan.take_field()) {
      return std::nullopt;
    }
  }
  std::string_view children = scan.rest();
  while (!children.empty() && !is_alnum(children.back())) {
    children.remove_suffix(1);
  }
  return Split{children};
}

// Parses "<A>... why", the answer to RCPT.
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

// Parses "NEW: clone: owner=O", "NEW: DSN: text", …
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

// Returns whether the client left before the message was complete.
bool is_broken_off(std::string_view text) {
  return text.substr(0, 21) == "collect: premature EO" ||
         text.substr(0, 25) == "collect: unexpected close" ||
         (text.substr(0, 31) == "timeout waiting for input from " &&
          ends_with(text, "during message collect"));
}

}  // namespace

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
      if (is_just(text, "discarded")) {
        return discarded(text);
      }
      return scan.take("done; ") ? std::optional<What>(Removed{"sendmail"}) : std::nullopt;
    case 'f':
      if (scan.take("forward ")) {
        return parse_redirection("forward", scan.rest());
      }
      return scan.take("from=") ? parse_from(scan.rest()) : std::nullopt;
    case 'm':  // "milter=NAME, quarantine=…"
      return scan.take("milter=") && scan.take_field() && scan.take("quarantine=")
                 ? std::optional<What>(Held{})
                 : std::nullopt;
    case 'q':
      return scan.take("quarantine=") ? std::optional<What>(Held{}) : std::nullopt;
    case 'r':
      return scan.take("ruleset=") ? parse_ruleset(scan.rest()) : std::nullopt;
    case 's':
      return scan.take("split: ") ? parse_split(scan.rest()) : std::nullopt;
    case 'u':
      return is_just(text, "unquarantine") ? std::optional<What>(Released{}) : std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace mtrk::maillog
