#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/sendmail_record.h"
#include "common/track/queue_id.h"

#include <algorithm>
#include <cstdint>

// Delivery records; all others are sendmail_record.cc, addresses sendmail_address.cc.
namespace mtrk::maillog {
namespace {

constexpr std::string_view kStat = ", stat=";

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

}  // namespace

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

}  // namespace mtrk::maillog
