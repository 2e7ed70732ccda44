#include "common/maillog/postfix_attempt.h"

#include "common/maillog/field_scanner.h"
#include "common/track/queue_id.h"

#include <algorithm>
#include <utility>

namespace mtrk::maillog {
namespace {

// A "key=value, " that was not there before; false if it does not come next.
[[gnu::always_inline]] inline bool take_key(FieldScanner& scan,
                                            std::string_view key,
                                            std::string_view& value) {
  if (value.data() != nullptr || !scan.take(key)) {
    return false;
  }
  const std::optional<std::string_view> field = scan.take_field();
  value = field.value_or(std::string_view());
  return field.has_value();
}

// "forwarded as NEW", the whole text. Only local(8) says so: a pipe's output cannot.
std::string_view forwarded_id(const Attempt& attempt) {
  constexpr std::string_view kForwarded = "forwarded as ";
  if (attempt.status != "sent" || attempt.relay != "local" ||
      (!attempt.agent.empty() && attempt.agent != "local") ||
      attempt.text.substr(0, kForwarded.size()) != kForwarded) {
    return {};
  }
  const std::string_view id = attempt.text.substr(kForwarded.size());
  return QueueId::is_queue_id(id) ? id : std::string_view();
}

// The ID of a reply that ends with "queued as ID". The other side wrote it: a claim, no proof.
std::string_view queued_id(const Attempt& attempt) {
  constexpr std::string_view kQueued = "queued as ";
  if (attempt.status != "sent" || attempt.relay == "local" || attempt.relay == "none") {
    return {};
  }
  std::size_t begin = attempt.text.size();
  while (begin > 0 && is_alnum(attempt.text[begin - 1])) {
    --begin;
  }
  const std::string_view before = attempt.text.substr(0, begin);
  const std::string_view id = attempt.text.substr(begin);
  if (before.size() < kQueued.size() || before.substr(before.size() - kQueued.size()) != kQueued ||
      !QueueId::is_queue_id(id)) {
    return {};
  }
  return id;
}

std::optional<std::string_view> take_recipient(FieldScanner& scan,
                                               std::span<const Lookalike> lookalikes) {
  const std::string_view rest = scan.rest();
  for (const auto& [written, address] : lookalikes) {
    if (rest.size() > written.size() + 2 && rest[0] == '<' && rest[written.size() + 1] == '>' &&
        rest.substr(1, written.size()) == written) {
      scan.skip(written.size() + 2);
      return address;
    }
  }
  return scan.take_address();
}

}  // namespace

std::optional<Lookalike> lookalike_of(std::string_view address) {
  if (address.empty() || address[0] != '"' || address.find('>') == std::string_view::npos) {
    return std::nullopt;
  }
  std::string plain;
  std::size_t i = 1;
  for (; i < address.size() && address[i] != '"'; ++i) {
    if (address[i] == '\\' && i + 1 < address.size()) {
      ++i;
    }
    plain += address[i];
  }
  plain.append(address.substr(std::min(i + 1, address.size())));
  return Lookalike{std::move(plain), std::string(address)};
}

bool parse_attempt(std::string_view text, Attempt& attempt, std::span<const Lookalike> lookalikes) {
  FieldScanner scan(text);
  if (!scan.take("to=")) {
    return false;
  }
  const std::optional<std::string_view> to = take_recipient(scan, lookalikes);
  if (!to) {
    return false;
  }
  attempt.recipient = *to;
  attempt.written = text;
  if (scan.take(", orig_to=")) {
    const std::optional<std::string_view> original = take_recipient(scan, lookalikes);
    if (!original) {
      return false;
    }
    attempt.original = *original;
  }
  if (!scan.take(", relay=")) {
    return false;
  }
  const std::optional<std::string_view> relay = scan.take_field();
  if (!relay) {
    return false;
  }
  attempt.relay = *relay;

  // No hostile text up to status=: a relay is a host name or our own configuration.
  std::string_view conn_use;
  std::string_view dsn;
  while (!scan.take("status=")) {
    if (!take_key(scan, "delay=", attempt.delay) && !take_key(scan, "delays=", attempt.delays) &&
        !take_key(scan, "dsn=", dsn) && !take_key(scan, "conn_use=", conn_use) &&
        !take_key(scan, "tls=", attempt.tls)) {
      return false;
    }
  }
  if (dsn.data() != nullptr) {  // the key was there
    attempt.dsn = parse_enhanced_status(dsn);
    if (!attempt.dsn) {
      return false;
    }
  }
  attempt.status = scan.take_word();
  if (attempt.status.empty() || !scan.take(" (")) {
    return false;
  }
  attempt.text = scan.rest();
  const bool complete = !attempt.text.empty() && attempt.text.back() == ')';
  if (complete) {
    attempt.text.remove_suffix(1);
    attempt.forwarded_as = forwarded_id(attempt);
    attempt.queued_as = queued_id(attempt);
  }
  return true;
}

}  // namespace mtrk::maillog
