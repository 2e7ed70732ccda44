#include "common/base/ascii.h"
#include "common/maillog/field_scanner.h"
#include "common/maillog/other_field.h"
#include "common/maillog/record_end.h"
#include "common/maillog/sendmail_record.h"
#include "common/track/queue_id.h"

#include <algorithm>
#include <array>

// This file parses delivery records. sendmail_record.cc parses all others, and sendmail_address.cc
// addresses.
namespace mtrk::maillog {
namespace {

constexpr std::string_view kStat = ", stat=";

// Returns "NAME (uid/gid)" without its second part.
std::string_view without_uid(std::string_view controlling) {
  const std::size_t open = controlling.rfind(" (");
  const bool uid = open != std::string_view::npos && controlling.back() == ')' &&
                   controlling.find_first_not_of("0123456789/", open + 2) == controlling.size() - 1;
  return uid ? controlling.substr(0, open) : controlling;
}

// Returns whether the text is "<local-part@domain>" and nothing else, with quotes only where words
// of a local part begin and end.
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

// Takes all of "A[,A…][ [more]], ".
bool take_recipients(std::string_view& rest, SendmailDelivery& delivery) {
  constexpr std::string_view kMore = " [more], ";
  for (;;) {
    const std::optional<std::string_view> address = take_sendmail_address(rest);
    // A list that was cut within quotes continues in quotes to the end, or to a quote in the reply.
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

// Fields reads the fields of a delivery record in the order in which Sendmail writes them, and
// skips what other builds and releases write between them.
class Fields {
 public:
  explicit Fields(std::string_view text) : scan_(text) {}

  // Takes "key=value, " if it comes next after unknown fields. Returns false if it has no end.
  [[nodiscard]] bool take(std::string_view key, std::string_view& value) {
    if (!take_last(key)) {
      return true;
    }
    const std::optional<std::string_view> field = scan_.take_field();
    value = field.value_or(std::string_view());
    return field.has_value();
  }

  // Does the same for a value that holds no comma, so that a comma without a blank also ends it.
  [[nodiscard]] bool take_plain(std::string_view key, std::string_view& value) {
    if (!take_last(key)) {
      return true;
    }
    const std::size_t comma = scan_.rest().find(',');
    if (comma == std::string_view::npos) {
      return false;
    }
    value = scan_.rest().substr(0, comma);
    scan_.skip(comma + (scan_.rest().substr(comma, 2) == ", " ? 2 : 1));
    return true;
  }

  // Takes a key whose value is the rest of the record, as far as the caller can find its end.
  [[nodiscard]] bool take_last(std::string_view key) {
    while (!scan_.take(key)) {
      if (!skip_other()) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::string_view rest() const { return scan_.rest(); }
  // Returns whether something was skipped that anybody may have written.
  [[nodiscard]] bool odd() const { return odd_; }

 private:
  [[nodiscard]] bool skip_other() {
    constexpr std::array<std::string_view, 9> kOurs = {
        "delay", "xdelay", "mailer", "pri", "relay", "dsn", "quarantine", "reply", "stat"};
    // Builds with further options have these fields. Sendmail itself writes them, in its own words.
    constexpr std::array<std::string_view, 6> kKnown = {"tls_verify", "tls_version", "cipher",
                                                        "ntries",     "stage",       "status"};
    const auto is_one_of = [](const auto& keys, std::string_view key) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    FieldScanner next = scan_;
    const std::optional<std::string_view> key = take_other_field(next);
    if (!key || is_one_of(kOurs, *key)) {
      return false;
    }
    odd_ = odd_ || !is_one_of(kKnown, *key);
    scan_ = next;
    return true;
  }

  FieldScanner scan_;
  bool odd_ = false;
};

// Takes reply=, which ends where stat= begins. Both may hold anything; stat= repeats the reply if
// it defers.
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

// Takes quarantine=, the words of a filter, in place of relay=: nothing in such a record is a
// success.
bool take_quarantine(std::string_view rest, Attempt& attempt) {
  const std::size_t stat = rest.rfind(kStat);
  if (stat == std::string_view::npos) {
    return false;
  }
  attempt.replied = true;
  attempt.text = rest.substr(0, stat);
  attempt.status = rest.substr(stat + kStat.size());
  attempt.status = is_just(attempt.status, "quarantined") ? "quarantined" : attempt.status;
  return true;
}

// Splits stat= into the status, without what follows the record, and what it quotes of the other
// side: "Sent (X)", "Deferred: X".
void split_status(Attempt& attempt) {
  constexpr std::string_view kSent = "Sent (";
  constexpr std::string_view kDeferred = "Deferred: ";
  std::string_view& status = attempt.status;
  if (status.substr(0, kSent.size()) == kSent) {
    status = status.back() == ')' ? status : up_to_last(status, ')').value_or(status);
    attempt.text = status.substr(kSent.size());
    // Text that continues like a record is not the text of a success that the log has cut.
    attempt.cut = status.back() != ')' && !holds_fields(status);
    if (status.back() == ')') {
      attempt.text.remove_suffix(1);
    }
  } else if (status.substr(0, kDeferred.size()) == kDeferred) {
    attempt.text = status.substr(kDeferred.size());
  } else {
    for (const std::string_view word : {"Sent", "queued", "quarantined", "discarded", "Deferred"}) {
      status = is_just(status, word) ? status.substr(0, word.size()) : status;
    }
  }
}

// Returns the id that the next hop says it gave the message: Sendmail's "ID Message accepted for
// delivery", or "… queued as ID". It is a claim, no proof.
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
  } else if (const std::size_t queued = text.rfind(kQueued);
             queued != std::string_view::npos && !attempt.cut) {
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
  Fields fields(text);
  std::string_view ignored;
  std::string_view dsn;
  if (!fields.take_plain("delay=", attempt.delay) || !sendmail_interval(attempt.delay) ||
      !fields.take_plain("xdelay=", ignored) || !fields.take("mailer=", attempt.agent) ||
      !fields.take_plain("pri=", ignored) || !fields.take("relay=", attempt.relay)) {
    return false;
  }
  if (fields.take_last("quarantine=")) {
    return take_quarantine(fields.rest(), attempt);
  }
  if (!fields.take_plain("dsn=", dsn)) {
    return false;
  }
  if (dsn.data() != nullptr) {  // the key was there
    attempt.dsn = parse_enhanced_status(dsn);
    if (!attempt.dsn) {
      return false;
    }
  }
  const bool replied = fields.take_last("reply=");
  if (replied ? !take_reply(fields.rest(), attempt) : !fields.take_last("stat=")) {
    return false;
  }
  if (fields.odd() && holds_fields(replied ? attempt.text : fields.rest())) {
    return false;
  }
  if (replied) {
    return true;
  }
  if (fields.rest().empty()) {
    return false;
  }
  attempt.status = fields.rest();
  split_status(attempt);
  attempt.queued_as = queued_id(attempt);
  return true;
}

}  // namespace mtrk::maillog
