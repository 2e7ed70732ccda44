#include "common/maillog/postfix_log.h"

#include "common/maillog/field_scanner.h"
#include "common/maillog/postfix_attempt.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace mtrk::maillog {
namespace {

// Programs that share the log and may begin a line like Postfix does. Ours first.
bool is_foreign(std::string_view program) {
  return program.empty() || program.substr(0, 5) == "mtrk-" || program == "mtrkctl" ||
         program == "mtqpd" || program == "sendmail" || program.substr(0, 3) == "sm-";
}

// Postfix's own programs that never log an attempt: a "to=<" of theirs is somebody else's text.
bool is_bystander(std::string_view service) {
  constexpr std::array<std::string_view, 20> kBystanders = {
      "anvil",    "bounce",   "cleanup",  "dnsblog",         "flush",     "master", "oqmgr",
      "pickup",   "postdrop", "postlogd", "postscreen",      "postsuper", "qmgr",   "scache",
      "sendmail", "showq",    "smtpd",    "trivial-rewrite", "tlsproxy",  "verify"};
  return std::find(kBystanders.begin(), kBystanders.end(), service) != kBystanders.end();
}

// "postfix/submission/smtpd" is smtpd; a program without slash hides its service (RFC 5424 logs).
std::string_view service_of(std::string_view program) {
  const std::size_t slash = program.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : program.substr(slash + 1);
}

enum CharClass : std::uint8_t { kDigit = 1, kLetter = 2, kNotHexadecimal = 4 };

// For each octet: whether it may be part of a queue id, and what it tells about one.
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned i = 0; i < 128; ++i) {
    const char c = static_cast<char>(i);
    if (is_digit(c)) {
      classes[i] = kDigit;
    } else if (is_alpha(c)) {
      classes[i] = c >= 'A' && c <= 'F' ? kLetter : kLetter | kNotHexadecimal;
    }
  }
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

// Takes "QUEUE-ID: ". Words that stand in its place ("warning: ", "NOQUEUE: ") are none: a queue id
// has a digit, or is hexadecimal in capitals.
std::string_view take_queue_id(std::string_view& text) {
  constexpr std::size_t kShortest = 6;
  constexpr std::size_t kLongest = 32;
  const std::size_t limit = std::min(text.size(), kLongest + 1);
  unsigned seen = 0;
  std::size_t i = 0;
  for (; i < limit; ++i) {
    const unsigned octet = kClasses[static_cast<unsigned char>(text[i])];
    if (octet == 0) {
      break;
    }
    seen |= octet;
  }
  if (i < kShortest || i > kLongest || i + 2 > text.size() || text[i] != ':' ||
      text[i + 1] != ' ' || (seen & (kDigit | kNotHexadecimal)) == kNotHexadecimal) {
    return {};
  }
  const std::string_view id = text.substr(0, i);
  text.remove_prefix(i + 2);
  return id;
}

using What = std::optional<decltype(DeliveryEvent::what)>;

// client=host[address][, orig_queue_id=OLD][, …]
What parse_client(std::string_view text) {
  FieldScanner scan(text);
  if (!scan.take("client=")) {
    return std::nullopt;
  }
  Client client{};
  const std::optional<std::string_view> name = scan.take_field();
  client.client = name ? *name : scan.rest();
  if (name && scan.take("orig_queue_id=")) {
    client.orig_queue_id = scan.take_word();
  }
  return client;
}

// from=<S>, size=N, nrcpt=N (queue active) | from=<S>, status=expired, returned to sender
What parse_from(std::string_view text) {
  FieldScanner scan(text);
  if (!scan.take("from=")) {
    return std::nullopt;
  }
  const std::optional<std::string_view> sender = scan.take_address();
  if (!sender) {
    return std::nullopt;
  }
  if (scan.take(", status=")) {
    const std::string_view status = scan.take_word();
    const bool gave_up =
        (status == "expired" || status == "force-expired") && scan.rest() == ", returned to sender";
    return gave_up ? What(GaveUp{status}) : std::nullopt;
  }
  if (!scan.take(", size=") || !parse_number<std::uint64_t>(scan.take_word()) ||
      !scan.take(", nrcpt=")) {
    return std::nullopt;
  }
  const std::optional<std::uint32_t> recipients = parse_number<std::uint32_t>(scan.take_word());
  if (!recipients || !scan.take(" (queue active)")) {
    return std::nullopt;
  }
  return Queued{*sender, *recipients};
}

// uid=N from=<S>[ orig_id=OLD]
What parse_pickup(std::string_view text) {
  FieldScanner scan(text);
  if (!scan.take("uid=") || scan.take_word().empty() || !scan.take(" from=")) {
    return std::nullopt;
  }
  if (!scan.take_address()) {
    return std::nullopt;
  }
  Pickup pickup{};
  if (scan.take(" orig_id=")) {
    pickup.orig_id = scan.take_word();
  }
  return pickup;
}

// milter-reject: and milter-discard: say what became of the message only at its end; a discard at
// any stage silently drops all of it.
What parse_milter_or_message_id(std::string_view text) {
  FieldScanner scan(text);
  if (scan.take("message-id=")) {
    return MessageId{scan.rest()};
  }
  if (scan.take("milter-reject: ")) {
    return scan.rest().substr(0, 14) == "END-OF-MESSAGE"
               ? What(Rejected{Verdict::refused, scan.rest()})
               : std::nullopt;
  }
  if (scan.take("milter-discard: ")) {
    return Rejected{Verdict::discarded, scan.rest()};
  }
  return scan.take("milter-hold: ") ? What(Held{}) : std::nullopt;
}

What parse_r(std::string_view text, std::string_view service) {
  if (text == "removed") {
    return Removed{service};
  }
  if (text == "requeued") {
    return Requeued{};
  }
  if (text == "released from hold") {
    return Released{};
  }
  FieldScanner scan(text);
  if (!scan.take("reject: ")) {
    return std::nullopt;
  }
  // "reject: RCPT from …" refuses a recipient, not the message.
  FieldScanner stage(scan.rest());
  const std::string_view word = stage.take_word();
  const bool whole = word == "header" || word == "body" || word == "mime" || word == "content" ||
                     word == "END-OF-MESSAGE";
  return whole ? What(Rejected{Verdict::refused, scan.rest()}) : std::nullopt;
}

// sender non-delivery notification: NEW
What parse_notification(std::string_view text) {
  FieldScanner scan(text);
  if (!scan.take("sender ")) {
    return std::nullopt;
  }
  for (const std::string_view kind : {"non-delivery", "delay", "delivery status"}) {
    if (scan.take(kind)) {
      return scan.take(" notification: ") ? What(Notification{kind, scan.take_word()})
                                          : std::nullopt;
    }
  }
  return std::nullopt;
}

What parse_other(std::string_view text, std::string_view service) {
  FieldScanner scan(text);
  switch (text[0]) {
    case 'c':
      return parse_client(text);
    case 'd':
      return scan.take("discard: ") ? What(Rejected{Verdict::discarded, scan.rest()})
                                    : std::nullopt;
    case 'e':
      return text == "expired" ? What(ForcedExpiry{}) : std::nullopt;
    case 'f':
      return parse_from(text);
    case 'h':
      return scan.take("hold: ") ? What(Held{}) : std::nullopt;
    case 'm':
      return parse_milter_or_message_id(text);
    case 'p':
      return text == "placed on hold" ? What(Held{}) : std::nullopt;
    case 'r':
      return parse_r(text, service);
    case 's':
      return parse_notification(text);
    case 'u':
      return parse_pickup(text);
    default:
      return std::nullopt;
  }
}

}  // namespace

ParsedLine parse_postfix(const LogLine& line) {
  std::string_view text = line.text;
  const std::string_view queue_id = take_queue_id(text);
  if (queue_id.empty() || text.empty() || is_foreign(line.program)) {
    return Ignored{};
  }
  const std::string_view service = service_of(line.program);
  if (text.substr(0, 4) == "to=<") {
    if (is_bystander(service)) {
      return Ignored{};
    }
    ParsedLine result(std::in_place_type<DeliveryEvent>);
    DeliveryEvent& event = *std::get_if<DeliveryEvent>(&result);
    event.at = line.at;
    event.queue_id = queue_id;
    Attempt& attempt = *std::get_if<Attempt>(&event.what);  // the first alternative
    attempt.agent = service;
    if (!parse_attempt(text, attempt)) {
      result = Unparsed{};
    }
    return result;
  }
  if (What what = parse_other(text, service)) {
    return DeliveryEvent{line.at, queue_id, *what};
  }
  return Ignored{};
}

}  // namespace mtrk::maillog
