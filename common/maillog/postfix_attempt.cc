#include "common/maillog/postfix_attempt.h"

#include "common/maillog/field_scanner.h"
#include "common/maillog/other_field.h"
#include "common/maillog/record_end.h"
#include "common/track/queue_id.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mtrk::maillog {
namespace {

// Takes a "key=value, " that was not there before. Returns false if it does not come next.
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

// Returns the id of "forwarded as NEW" if that is the whole text. Only local(8) writes this; the
// output of a pipe cannot imitate it.
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

// Returns the ID of a reply that ends with "queued as ID". The other side wrote it, so it is a
// claim and no proof.
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

// These functions read what deviates, without any doubt, from the grammar as the stock releases
// write it. They return what is left to read, because a scanner that is passed on would be read
// from memory at each step.
using Rest = std::optional<std::string_view>;

// Takes an address that lost its brackets; a known field must follow.
[[gnu::cold]] Rest take_recipient_without_brackets(std::string_view text,
                                                   std::string_view& address) {
  FieldScanner scan(text);
  const std::optional<std::string_view> bare = take_bare_address(scan);
  address = bare.value_or(std::string_view());
  const std::string_view next = scan.rest();
  const bool known = next.substr(0, 8) == ", relay=" || next.substr(0, 10) == ", orig_to=" ||
                     next.substr(0, 7) == ", from=";
  return bare && known ? Rest(next) : std::nullopt;
}

// Takes an unknown field, or orig_to= or relay= in another place.
[[gnu::cold]] Rest take_odd_field(std::string_view text,
                                  Attempt& attempt,
                                  std::span<const Lookalike> lookalikes) {
  FieldScanner scan(text);
  if (attempt.original.data() == nullptr && scan.take("orig_to=")) {
    const std::optional<std::string_view> original = take_recipient(scan, lookalikes);
    attempt.original = original.value_or(std::string_view());
    return original && scan.take(", ") ? Rest(scan.rest()) : std::nullopt;
  }
  if (take_key(scan, "relay=", attempt.relay)) {
    return scan.rest();
  }
  constexpr std::array<std::string_view, 9> kKnown = {
      "to", "orig_to", "relay", "conn_use", "delay", "delays", "tls", "dsn", "status"};
  const std::optional<std::string_view> key = take_other_field(scan);
  const bool unknown = key && std::find(kKnown.begin(), kKnown.end(), *key) == kKnown.end();
  return unknown ? Rest(scan.rest()) : std::nullopt;
}

// Finds the end of the text and the queue ids that it names. Returns false if this may not be the
// text at all.
bool take_text(std::string_view text, bool odd, Attempt& attempt) {
  std::optional<std::string_view> whole(text);
  if (text.empty() || text.back() != ')') {
    whole = up_to_last(text, ')');
  }
  attempt.cut = !whole;
  attempt.text = whole ? whole->substr(0, whole->size() - 1) : text;
  if (odd && (attempt.cut || holds_fields(text))) {
    return false;
  }
  if (whole) {
    attempt.forwarded_as = forwarded_id(attempt);
    attempt.queued_as = queued_id(attempt);
  }
  return true;
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
  bool odd = false;
  const auto go_on = [&scan, &odd](const Rest& rest) {
    odd = true;
    scan = FieldScanner(rest.value_or(std::string_view()));
    return rest.has_value();
  };
  attempt.written = text;
  if (const std::optional<std::string_view> to = take_recipient(scan, lookalikes)) {
    attempt.recipient = *to;
  } else if (!go_on(take_recipient_without_brackets(scan.rest(), attempt.recipient))) {
    return false;
  }
  if (scan.take(", orig_to=")) {
    if (const std::optional<std::string_view> original = take_recipient(scan, lookalikes)) {
      attempt.original = *original;
    } else if (!go_on(take_recipient_without_brackets(scan.rest(), attempt.original))) {
      return false;
    }
  }
  if (!scan.take(", ")) {
    return false;
  }
  static_cast<void>(take_key(scan, "relay=", attempt.relay));  // the stock releases write it first

  // There is no hostile text up to status=: a relay is a host name or our own configuration.
  std::string_view conn_use;
  std::string_view dsn;
  while (!scan.take("status=")) {
    if (!take_key(scan, "delay=", attempt.delay) && !take_key(scan, "delays=", attempt.delays) &&
        !take_key(scan, "dsn=", dsn) && !take_key(scan, "conn_use=", conn_use) &&
        !take_key(scan, "tls=", attempt.tls) &&
        !go_on(take_odd_field(scan.rest(), attempt, lookalikes))) {
      return false;
    }
  }
  if (attempt.relay.data() == nullptr) {
    return false;
  }
  if (dsn.data() != nullptr) {  // the key was there
    attempt.dsn = parse_enhanced_status(dsn);
    if (!attempt.dsn) {
      return false;
    }
  }
  attempt.status = scan.take_word();
  return !attempt.status.empty() && scan.take(" (") && take_text(scan.rest(), odd, attempt);
}

}  // namespace mtrk::maillog
