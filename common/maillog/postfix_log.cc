#include "common/maillog/postfix_log.h"

#include "common/base/octets.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/mailscanner_log.h"
#include "common/maillog/other_field.h"
#include "common/maillog/postfix_attempt.h"
#include "common/maillog/record_end.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace mtrk::maillog {
namespace {

// Returns whether the program is not Postfix's, but shares the log and may begin a line as Postfix
// does; our own programs come first. Only Postfix's names have a slash, whatever its syslog_name
// is.
bool is_foreign(std::string_view program) {
  if (program.empty()) {
    return true;
  }
  if (program[0] != 'm' && program[0] != 's') {  // nearly always
    return false;
  }
  if (program.find('/') != std::string_view::npos) {
    return false;
  }
  return program.substr(0, 5) == "mtrk-" || program == "mtrkctl" || program == "mtqpd" ||
         program == "sendmail" || program.substr(0, 3) == "sm-";
}

// Returns whether this is a program of Postfix that never logs an attempt: a "to=<" in its line is
// the text of somebody else.
bool is_bystander(std::string_view service) {
  constexpr std::array<std::string_view, 20> kBystanders = {
      "anvil",    "bounce",   "cleanup",  "dnsblog",         "flush",     "master", "oqmgr",
      "pickup",   "postdrop", "postlogd", "postscreen",      "postsuper", "qmgr",   "scache",
      "sendmail", "showq",    "smtpd",    "trivial-rewrite", "tlsproxy",  "verify"};
  const bool usual_agent = service == "smtp" || service == "lmtp";
  return !usual_agent &&
         std::find(kBystanders.begin(), kBystanders.end(), service) != kBystanders.end();
}

// Returns the service: that of "postfix/submission/smtpd" is smtpd. A program without a slash does
// not show its service (RFC 5424 logs).
std::string_view service_of(std::string_view program) {
  if (program.size() >= octets::kWord) {
    const char* const last = program.data() + program.size() - octets::kWord;
    const std::uint64_t slashes = octets::equal_to(octets::load(last), '/');
    if (slashes != 0) {
      return program.substr(program.size() - octets::after_last(slashes));
    }
  }
  const std::size_t slash = program.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : program.substr(slash + 1);
}

constexpr std::size_t kShortest = 6;
constexpr std::size_t kLongest = 32;

// Returns the length of a queue id at the front of `text`, or 0 if there is none. Words in its
// place ("warning: ", "NOQUEUE: ") do not count: a queue id has a digit, or is hexadecimal in
// capitals.
std::size_t queue_id_length(std::string_view text) {
  const std::size_t limit = std::min(text.size(), kLongest + 1);
  std::uint64_t digits = 0;
  std::size_t i = 0;
  // Takes eight octets at a time as long as they are letters and digits.
  std::size_t taken = octets::kWord;
  while (taken == octets::kWord && i < limit && i + octets::kWord <= text.size()) {
    const std::uint64_t word = octets::load(text.data() + i);
    const std::uint64_t found = octets::between(word, '0', '9');
    const std::uint64_t letters = octets::between(word | octets::kOnes * 0x20, 'a', 'z');
    taken = octets::before_first(~(found | letters) & octets::kHigh);
    digits |= found & octets::first(taken);
    i += taken;
  }
  if (taken == octets::kWord) {  // take the rest of a short text
    for (; i < limit && is_alnum(text[i]); ++i) {
      digits |= is_digit(text[i]) ? 1U : 0U;
    }
  }
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'F'; };
  const bool good = i >= kShortest && i <= kLongest &&
                    (digits != 0 || std::all_of(text.begin(), text.begin() + i, is_capital));
  return good ? i : 0;
}

// Takes "QUEUE-ID: ".
std::string_view take_queue_id(std::string_view& text) {
  const std::size_t length = queue_id_length(text);
  if (length == 0 || length + 2 > text.size() || text[length] != ':' || text[length + 1] != ' ') {
    return {};
  }
  const std::string_view id(text.data(), length);
  text.remove_prefix(length + 2);
  return id;
}

using What = decltype(DeliveryEvent::what);

// The parsers below put what they read into `what`. They return false if the text is of no
// interest.

template <typename T>
bool put(What& what, const T& value) {
  what.emplace<T>(value);
  return true;
}

// Returns the value at the end of a line, which closes with `end`.
std::string_view last_value(std::string_view value, char end) {
  const bool whole = value.empty() || value.back() == end;
  return whole ? value : up_to_last(value, end).value_or(value);
}

// Returns the text from orig_queue_id= on, after unknown fields, but not after fields that a client
// fills: the name or the login of a client must not name a queue id.
std::string_view behind_client_fields(std::string_view text) {
  FieldScanner scan(text);
  while (scan.rest().substr(0, 14) != "orig_queue_id=") {
    const std::optional<std::string_view> key = take_other_field(scan);
    if (!key || key->substr(0, 5) == "sasl_" || *key == "helo" || *key == "ident") {
      return {};
    }
  }
  return scan.rest();
}

// Parses client=host[address][, orig_queue_id=OLD][, …]
bool parse_client(std::string_view text, What& what) {
  FieldScanner scan(text);
  if (!scan.take("client=")) {
    return false;
  }
  Client client{};
  const std::optional<std::string_view> name = scan.take_field();
  client.client = name ? *name : last_value(scan.rest(), ']');
  if (name) {
    FieldScanner origin(behind_client_fields(scan.rest()));
    if (origin.take("orig_queue_id=")) {
      client.orig_queue_id = origin.take_word();
    }
  }
  return put(what, client);
}

// Returns the text after `key`, which may follow unknown fields of qmgr, or an empty view if `key`
// is absent. A line with a recipient or a status is another kind of line, which may end with
// anything.
[[gnu::cold]] std::string_view behind(std::string_view text, std::string_view key) {
  FieldScanner scan(text);
  while (!scan.take(key)) {
    const std::optional<std::string_view> other = take_other_field(scan);
    if (!other || *other == "to" || *other == "status") {
      return {};
    }
  }
  return scan.rest();
}

// Returns whether the text after nrcpt=N is " (queue active)". Future releases may write further
// fields before that. If the text holds what has been read already, that was part of a field.
bool ends_active(std::string_view rest) {
  constexpr std::string_view kActive = " (queue active)";
  if (rest.substr(0, kActive.size()) == kActive) {
    return true;
  }
  const std::string_view whole = up_to_last(rest, ')').value_or(std::string_view());
  return whole.substr(0, 2) == ", " && whole.size() > kActive.size() &&
         whole.substr(whole.size() - kActive.size()) == kActive &&
         rest.find(", nrcpt=") == std::string_view::npos;
}

// Parses size=N, nrcpt=N (queue active) | status=expired, returned to sender
bool parse_rest_of_from(FieldScanner scan, std::string_view sender, What& what) {
  if (scan.take("status=")) {
    const std::string_view status = scan.take_word();
    return (status == "expired" || status == "force-expired") &&
           is_just(scan.rest(), ", returned to sender") && put(what, GaveUp{status});
  }
  if (!scan.take("size=")) {
    scan = FieldScanner(behind(scan.rest(), "size="));
  }
  const std::optional<std::uint64_t> size = parse_number<std::uint64_t>(scan.take_word());
  if (!size || !scan.take(", ")) {
    return false;
  }
  if (!scan.take("nrcpt=")) {
    scan = FieldScanner(behind(scan.rest(), "nrcpt="));
  }
  const std::optional<std::uint32_t> recipients = parse_number<std::uint32_t>(scan.take_word());
  return recipients && ends_active(scan.rest()) &&
         put(what, Queued{sender, *recipients, {}, {}, *size});
}

// Parses from=<S>, size=N, nrcpt=N (queue active) | from=<S>, status=expired, returned to sender
bool parse_from(std::string_view text, What& what) {
  FieldScanner scan(text);
  if (!scan.take("from=")) {
    return false;
  }
  if (const std::optional<std::string_view> sender = scan.take_address()) {
    return scan.take(", ") && parse_rest_of_from(scan, *sender, what);
  }
  FieldScanner bare(scan.rest());
  const std::optional<std::string_view> sender =
      bare.rest().substr(0, 2) == ", " ? std::string_view() : take_bare_address(bare);
  return sender && bare.take(", ") && parse_rest_of_from(bare, *sender, what);
}

// Parses uid=N from=<S>[ orig_id=OLD]
bool parse_pickup(std::string_view text, What& what) {
  FieldScanner scan(text);
  if (!scan.take("uid=") || scan.take_word().empty() || !scan.take(" from=") ||
      !scan.take_address()) {
    return false;
  }
  Pickup pickup{};
  if (scan.take(" orig_id=")) {
    pickup.orig_id = scan.take_word();
  }
  return put(what, pickup);
}

// Parses milter-reject: and milter-discard:, which show only at the end of the message what became
// of it; a discard at any stage silently drops all of it.
bool parse_milter_or_message_id(std::string_view text, What& what) {
  FieldScanner scan(text);
  if (scan.take("message-id=")) {
    return put(what, MessageId{last_value(scan.rest(), '>')});
  }
  if (scan.take("milter-reject: ")) {
    return scan.rest().substr(0, 14) == "END-OF-MESSAGE" &&
           put(what, Rejected{Verdict::refused, scan.rest()});
  }
  if (scan.take("milter-discard: ")) {
    return put(what, Rejected{Verdict::discarded, scan.rest()});
  }
  if (scan.take("milter-hold: ")) {
    return put(what, Held{});
  }
  // This is the result of milter_header_checks for a header that a milter added.
  if (!scan.take("milter-header-") && !scan.take("milter-body-")) {
    return false;
  }
  if (scan.take("reject: ")) {
    return put(what, Rejected{Verdict::refused, scan.rest()});
  }
  if (scan.take("discard: ")) {
    return put(what, Rejected{Verdict::discarded, scan.rest()});
  }
  return scan.take("hold: ") && put(what, Held{});
}

// Parses "removed", with the reason in releases that log one: "removed (canceled)", "removed
// (discarded)".
bool parse_removed(std::string_view text, std::string_view service, What& what) {
  constexpr std::string_view kRemoved = "removed";
  if (is_just(text, kRemoved)) {
    return put(what, Removed{service});
  }
  const std::string_view why = text.substr(kRemoved.size());
  const std::size_t close = why.find(')');
  if (why.substr(0, 2) != " (" || close == std::string_view::npos ||
      !is_litter(why.substr(close + 1))) {
    return false;
  }
  const std::string_view reason = why.substr(1, close);  // "(canceled)" comes from cleanup
  if (reason == "(canceled)") {
    return put(what, Rejected{Verdict::refused, reason});
  }
  if (reason == "(discarded)") {
    return put(what, Rejected{Verdict::discarded, reason});
  }
  return put(what, Removed{service});
}

bool parse_r(std::string_view text, std::string_view service, What& what) {
  if (text.substr(0, 3) == "rem") {
    return text.substr(0, 7) == "removed" && parse_removed(text, service, what);
  }
  if (is_just(text, "requeued")) {
    return put(what, Requeued{});
  }
  if (is_just(text, "released from hold")) {
    return put(what, Released{});
  }
  FieldScanner scan(text);
  if (!scan.take("reject: ")) {
    return false;
  }
  // "reject: RCPT from …" refuses a recipient, not the message.
  FieldScanner stage(scan.rest());
  const std::string_view word = stage.take_word();
  const bool whole = word == "header" || word == "body" || word == "mime-error" ||
                     word == "content" || word == "END-OF-MESSAGE";
  return whole && put(what, Rejected{Verdict::refused, scan.rest()});
}

// Parses sender non-delivery notification: NEW
bool parse_notification(std::string_view text, What& what) {
  FieldScanner scan(text);
  if (!scan.take("sender ")) {
    return false;
  }
  for (const std::string_view kind : {"non-delivery", "delay", "delivery status"}) {
    if (scan.take(kind)) {
      return scan.take(" notification: ") && put(what, Notification{kind, scan.take_word()});
    }
  }
  return false;
}

bool parse_other(std::string_view text, std::string_view service, What& what) {
  FieldScanner scan(text);
  switch (text[0]) {
    case 'c':
      return parse_client(text, what);
    case 'd':
      return scan.take("discard: ") && put(what, Rejected{Verdict::discarded, scan.rest()});
    case 'e':
      return is_just(text, "expired") && put(what, ForcedExpiry{});
    case 'f':
      return parse_from(text, what);
    case 'h':
      return scan.take("hold: ") && put(what, Held{});
    case 'm':
      return parse_milter_or_message_id(text, what);
    case 'p':
      return is_just(text, "placed on hold") && put(what, Held{});
    case 'r':
      return parse_r(text, service, what);
    case 's':
      return parse_notification(text, what);
    case 'u':
      return parse_pickup(text, what);
    default:
      return false;
  }
}

// Returns the attempt from "to=…" on, also in lines like "from=<S>, to=…", where the recipient does
// not come first.
std::string_view attempt_in(std::string_view text) {
  if (text.substr(0, 3) == "to=") {
    return text;
  }
  FieldScanner scan(text);
  if (!scan.take("from=") || !scan.take_address() || !scan.take(", ")) {
    return {};
  }
  return scan.rest().substr(0, 3) == "to=" ? scan.rest() : std::string_view();
}

// Returns whether an agent's line begins like its delivery lines, but not like any that we can
// read.
bool resembles_attempt(std::string_view text) {
  constexpr std::array<std::string_view, 2> kFirst = {"to", "orig_to"};
  return std::any_of(kFirst.begin(), kFirst.end(), [text](std::string_view key) {
    const std::size_t value = std::min(text.find_first_not_of(" \t", key.size()), text.size());
    return istarts_with(text, key) && value < text.size() &&
           (text[value] == '=' || text[value] == ':');
  });
}

// Parses a line that does not begin with "to=<": almost none of these is a delivery.
LineKind parse_odd_attempt(std::string_view text, std::string_view service, What& what) {
  if (std::string_view("tofTO").find(text[0]) == std::string_view::npos) {
    return LineKind::ignored;
  }
  const std::string_view from_recipient = attempt_in(text);
  if (from_recipient.empty() && !resembles_attempt(text)) {
    return LineKind::ignored;
  }
  if (is_bystander(service)) {
    return LineKind::ignored;
  }
  Attempt& fields = what.emplace<Attempt>();
  fields.agent = service;
  return !from_recipient.empty() && parse_attempt(from_recipient, fields) ? LineKind::events
                                                                          : LineKind::unparsed;
}

}  // namespace

LineKind parse_postfix(const LogLine& line, DeliveryEvent& event) {
  std::string_view text = line.text;
  const std::string_view queue_id = take_queue_id(text);
  if (queue_id.empty()) {
    return parse_mailscanner(line, event) ? LineKind::events : LineKind::ignored;
  }
  if (text.empty() || is_foreign(line.program)) {
    return LineKind::ignored;
  }
  event.at = line.at;
  event.queue_id = queue_id;
  event.host = line.host;
  event.program = line.program;
  const std::string_view service = service_of(line.program);
  if (text.substr(0, 4) != "to=<") {
    return parse_other(text, service, event.what) ? LineKind::events
                                                  : parse_odd_attempt(text, service, event.what);
  }
  if (is_bystander(service)) {
    return LineKind::ignored;
  }
  Attempt& fields = event.what.emplace<Attempt>();
  fields.agent = service;
  return parse_attempt(text, fields) ? LineKind::events : LineKind::unparsed;
}

ParsedLine parse_postfix(const LogLine& line) {
  ParsedLine result(std::in_place_type<DeliveryEvent>);
  switch (parse_postfix(line, *std::get_if<DeliveryEvent>(&result))) {
    case LineKind::events:
      break;
    case LineKind::ignored:
      result.emplace<Ignored>();
      break;
    case LineKind::unparsed:
      result.emplace<Unparsed>();
      break;
  }
  return result;
}

}  // namespace mtrk::maillog
