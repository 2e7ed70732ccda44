#include "common/maillog/attempt_meaning.h"

#include "common/base/ascii.h"
#include "common/maillog/filter_reply.h"
#include "common/maillog/relay.h"
#include "common/track/address.h"
#include "common/track/gate_tag.h"

#include <algorithm>
#include <array>

namespace mtrk::maillog {
namespace {

using trace::Last;

// Returns whether the relay is `filter`: "127.0.0.1:10025", "[::1]:10025",
// "scan.example.net:10025", the path of a socket as Postfix has it ("private/scan",
// "unix:/run/scan"), or the name of a pipe(8) service.
bool is_configured(const Relay& relay, std::string_view filter) {
  if (relay.port.empty()) {
    const std::string_view path = filter.substr(0, 5) == "unix:" ? filter.substr(5) : filter;
    return relay.address.empty() ? relay.host == filter : relay.address == path;
  }
  const std::size_t colon = filter.rfind(':');
  if (colon == std::string_view::npos || filter.substr(colon + 1) != relay.port) {
    return false;
  }
  std::string_view host = filter.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return iequals(host, relay.address) || iequals(host, relay.host);
}

// Returns the tag of mtrk-gate from the reply as Postfix quotes it. For a success the reply is all
// of the text, otherwise it follows "host gate said: " or "host gate refused to talk to me: ". The
// relay is the gate, so the text before the tag is ours.
std::optional<GateTag> tag_of(const Attempt& attempt) {
  std::string_view reply = attempt.text;
  if (attempt.status != "sent") {
    for (const std::string_view quote : {" said: ", " refused to talk to me: "}) {
      if (const std::size_t at = reply.find(quote); at != std::string_view::npos) {
        reply.remove_prefix(at + quote.size());
        break;
      }
    }
  }
  return find_gate_tag(reply);
}

// Applies the gate's tag. The next hop is then the one after the gate, and only the tag says
// whether MTRK was passed on.
void take_gate_tag(const Attempt& attempt, Meaning& meaning) {
  const std::optional<GateTag> tag = tag_of(attempt);
  meaning.remote_mta = tag ? tag->remote_mta() : "";
  meaning.maybe_filter = meaning.by_id = meaning.filter = false;
  // This is also true of lmtp(8), whose relay would otherwise have been the last hop: RFC 3886
  // §3.5.
  const bool taken = meaning.last == Last::relayed || meaning.last == Last::delivered;
  if (tag && tag->transferred && taken) {
    meaning.last = Last::transferred;
    meaning.status = {2, 4, 0};
  }
}

bool is_local(const Attempt& attempt, const Relay& relay) {
  return attempt.agent == "local" || (attempt.agent.empty() && relay.host == "local");
}

// Returns whether local(8) may have forwarded the message. It logs "forwarded as NEW" when it hands
// a message on under another queue id, and anything else when it delivers. If the id is incomplete,
// or too little is left of the text to distinguish the two, it may have been either.
bool may_be_forwarded(const Attempt& attempt, const Relay& relay) {
  constexpr std::string_view kForwarded = "forwarded as ";
  std::string_view text = attempt.text;
  if (attempt.cut) {  // some programs that cut a line mark the place
    text = text.substr(0, text.find_last_not_of(" .") + 1);
  }
  const bool begun = attempt.cut && kForwarded.substr(0, text.size()) == text;
  return is_local(attempt, relay) && (begun || text.substr(0, kForwarded.size()) == kForwarded);
}

// The agent is recognised by its own name or by the form of its lines.
bool is_piped(const Attempt& attempt) {
  return attempt.agent == "pipe" ||
         (attempt.agent != "smtp" && attempt.agent != "lmtp" && attempt.agent != "local" &&
          attempt.text.substr(0, 14) == "delivered via ");
}

// Returns what the next hop said, or the command that pipe(8) ran: "delivered via NAME service
// (output)".
std::string_view words_of(const Attempt& attempt, bool piped) {
  if (!piped) {
    return attempt.text;
  }
  constexpr std::string_view kBefore = " service (";
  const std::size_t at = attempt.text.find(kBefore);
  return at == std::string_view::npos ? std::string_view()
                                      : attempt.text.substr(at + kBefore.size());
}

// Decides whether a content filter may have the message. If so, it was handed on, and nothing more
// is known.
void judge_filter(const Attempt& attempt, const Relay& relay, Meaning& meaning) {
  if (meaning.last != Last::delivered && meaning.last != Last::relayed) {
    return;
  }
  const bool local = is_local(attempt, relay) || attempt.agent == "virtual" ||
                     (attempt.agent.empty() && relay.host == "virtual");
  meaning.pipe = is_piped(attempt);
  const bool last_hop = meaning.last == Last::delivered && !local;  // these are lmtp(8) and pipe(8)
  meaning.by_id = is_loopback(relay) || meaning.configured;
  meaning.maybe_filter = meaning.by_id || last_hop;
  meaning.filter =
      meaning.configured || (last_hop && is_filter_reply(words_of(attempt, meaning.pipe)));
  if (meaning.filter && last_hop) {
    meaning.last = Last::relayed;
  }
}

// Returns the meaning of status=sent. Handing on is never called delivery: if the agent is not
// known, the form of its relay decides, and if that does not help, the outcome is unknown.
Last meaning_of_sent(const Attempt& attempt, const Relay& relay) {
  constexpr std::array<std::string_view, 4> kDeliver = {"local", "virtual", "lmtp", "pipe"};
  if (!attempt.forwarded_as.empty()) {
    return Last::forwarded;
  }
  if (may_be_forwarded(attempt, relay)) {
    return Last::unknown;
  }
  const bool nowhere = attempt.agent == "discard" ||
                       // Only an unknown agent can be without a relay here.
                       (relay.host == "none" && attempt.agent.empty()) ||
                       (is_local(attempt, relay) && attempt.text == "discarded");  // "/dev/null"
  if (nowhere) {
    return Last::discarded;
  }
  if (std::find(kDeliver.begin(), kDeliver.end(), attempt.agent) != kDeliver.end()) {
    return Last::delivered;
  }
  if (attempt.agent == "smtp" || is_tcp(relay)) {
    return Last::relayed;
  }
  const bool final = relay.host == "local" || relay.host == "virtual" || relay.host == "none" ||
                     is_socket(relay) || is_piped(attempt);
  return final ? Last::delivered : Last::unknown;
}

// Returns the status of the line if its class fits the word, and otherwise class.0.0.
EnhancedStatus fitting(const std::optional<EnhancedStatus>& status, std::uint8_t status_class) {
  const EnhancedStatus plain{status_class, 0, 0};
  return status && status->status_class == status_class && *status != kRelayedStatus ? *status
                                                                                     : plain;
}

// Keeps only the quotes and backslashes that Postfix writes.
std::string with_needed_quotes(std::string key) {
  if (key.empty() || key[0] != '"') {
    return key;
  }
  std::string plain;
  std::string quoted = "\"";
  bool atoms = true;
  std::size_t i = 1;
  for (; i < key.size() && key[i] != '"'; ++i) {
    if (key[i] == '\\' && i + 1 < key.size()) {
      ++i;
    }
    constexpr std::string_view kSpecials = " ()<>[]:;@\\,\"\t";
    const bool dot_misplaced = key[i] == '.' && (plain.empty() || plain.back() == '.');
    atoms = atoms && kSpecials.find(key[i]) == std::string_view::npos && !dot_misplaced;
    plain += key[i];
    if (key[i] == '"' || key[i] == '\\') {
      quoted += '\\';
    }
    quoted += key[i];
  }
  if (i >= key.size() || (i + 1 < key.size() && key[i + 1] != '@')) {
    return key;  // it has no quoted local part after all
  }
  const std::string_view domain = std::string_view(key).substr(i + 1);
  if (!atoms || plain.empty() || plain.back() == '.') {
    return quoted.append("\"").append(domain);
  }
  return plain.append(domain);
}

}  // namespace

std::optional<Meaning> meaning_of(const Attempt& attempt,
                                  std::span<const std::string> filters,
                                  std::span<const std::string> gates) {
  const Relay relay = parse_relay(attempt.relay);
  Meaning meaning{};
  if (attempt.status == "sent") {
    meaning.last = meaning_of_sent(attempt, relay);
    meaning.status = fitting(attempt.dsn, 2);
  } else if (attempt.status == "deferred" || iequals(attempt.status, "softbounce")) {
    meaning.last = Last::deferred;
    meaning.status = fitting(attempt.dsn, 4);
  } else if (attempt.status == "bounced") {
    const bool transient = attempt.dsn && attempt.dsn->status_class == 4;
    meaning.last = Last::bounced;
    meaning.status = fitting(attempt.dsn, transient ? 4 : 5);
  } else {
    return std::nullopt;
  }
  if (const std::optional<MtaName> remote = remote_mta(relay)) {
    meaning.remote_mta = remote->name;
  }
  meaning.local = is_local(attempt, relay);
  meaning.configured = std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
    return is_configured(relay, filter);
  });
  judge_filter(attempt, relay, meaning);
  if (std::any_of(gates.begin(), gates.end(),
                  [&](const std::string& gate) { return is_configured(relay, gate); })) {
    take_gate_tag(attempt, meaning);
  }
  return meaning;
}

std::string match_key(std::string_view address) {
  return with_needed_quotes(recipient_key(address));
}

std::string spelled_key(std::string_view address) {
  std::string key(address);
  const std::size_t at = std::min(key.rfind('@'), key.size());
  return with_needed_quotes(key.replace(at, std::string::npos, to_lower(address.substr(at))));
}

}  // namespace mtrk::maillog
