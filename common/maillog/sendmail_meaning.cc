#include "common/maillog/sendmail_meaning.h"

#include "common/base/ascii.h"
#include "common/maillog/relay.h"
#include "common/track/gate_tag.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mtrk::maillog {
namespace {

using trace::Last;

bool has_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Returns whether the status is "Sent" or "Sent (what the next hop said)". The latter ends with its
// parenthesis, unless the log has cut it.
bool is_sent(const Attempt& attempt) {
  return attempt.status == "Sent" ||
         (has_prefix(attempt.status, "Sent (") && (attempt.status.back() == ')' || attempt.cut));
}

// Returns whether this mailer hands a message to its mailbox, program or file.
bool is_final(std::string_view mailer) {
  constexpr std::array<std::string_view, 6> kFinal = {"local", "prog",    "*file*",
                                                      "cyrus", "cyrusv2", "cyrusbb"};
  return std::find(kFinal.begin(), kFinal.end(), mailer) != kFinal.end();
}

// Returns the host of relay=HOST[ [ADDRESS]] without its final dot. If the log has shortened the
// name to 40 characters, the address stands for it.
std::string remote_name(std::string_view host, std::string_view address) {
  while (!host.empty() && (host.back() == ' ' || host.back() == '.')) {
    host.remove_suffix(1);
  }
  const bool shortened = host.find("...") != std::string_view::npos;
  const bool odd = host.find_first_of(" ,;()<>\"@/") != std::string_view::npos;
  if (!host.empty() && !shortened && !odd) {
    return std::string(host);
  }
  if (address.empty() || address[0] == '/') {
    return {};
  }
  const bool ipv6 = address.find(':') != std::string_view::npos && !has_prefix(address, "IPv6:");
  return (ipv6 ? "[IPv6:" : "[") + std::string(address) + "]";
}

// Takes the address in the last brackets; the name before it may be an address literal itself.
std::string_view take_address(std::string_view& relay) {
  const std::size_t open = relay.rfind(" [");
  if (open == std::string_view::npos || relay.back() != ']') {
    return {};
  }
  const std::string_view address = relay.substr(open + 2, relay.size() - open - 3);
  relay = relay.substr(0, open);
  return address;
}

// `gate` has the form "127.0.0.1:10023" or "[::1]:10023".
bool is_address_of(std::string_view gate, std::string_view address) {
  constexpr std::string_view kIpv6 = "IPv6:";
  gate = gate.substr(0, gate.rfind(':'));
  if (gate.size() > 2 && gate.front() == '[' && gate.back() == ']') {
    gate = gate.substr(1, gate.size() - 2);
  }
  if (has_prefix(address, kIpv6)) {
    address.remove_prefix(kIpv6.size());
  }
  return iequals(gate, address);
}

bool is_gate(std::string_view address, std::span<const std::string> gates) {
  return !address.empty() &&
         std::any_of(gates.begin(), gates.end(),
                     [address](const std::string& gate) { return is_address_of(gate, address); });
}

// Applies the gate's tag: the next hop is the one after the gate, if there is one yet.
void take_gate_tag(const Attempt& attempt, SendmailMeaning& meaning) {
  const bool taken = meaning.last == Last::relayed;
  // A refusal is logged with its codes, a success without them.
  const std::optional<GateTag> tag =
      taken ? find_gate_tag_in_text(attempt.text) : find_gate_tag(attempt.text);
  if (!tag) {
    // Without a name it is the gate itself, on this host.
    if (!taken && meaning.remote_mta.substr(0, 1) == "[") {
      meaning.remote_mta.clear();
    }
    return;
  }
  meaning.remote_mta = tag->remote_mta();
  meaning.loopback = false;
  if (tag->transferred && taken) {
    meaning.last = Last::transferred;
    meaning.status = {2, 4, 0};
  }
}

}  // namespace

std::optional<SendmailMeaning> sendmail_meaning_of(const Attempt& attempt,
                                                   std::span<const std::string> gates) {
  SendmailMeaning meaning{};
  // Sendmail names no mailer here. If there is one, dsn= is followed by what the other side said.
  const bool own_word = !attempt.replied && (attempt.agent.empty() || !attempt.dsn);
  if (attempt.status == "discarded" && own_word) {
    meaning.last = Last::unknown;  // the message is gone, and nobody received it
    meaning.status = EnhancedStatus{2, 0, 0};
    return meaning;
  }
  if (!attempt.dsn) {
    return std::nullopt;
  }
  std::string_view host = attempt.relay;
  const std::string_view address = take_address(host);
  const bool final = is_final(attempt.agent);
  meaning.status = *attempt.dsn;
  if (!final) {
    meaning.remote_mta = remote_name(host, address);
    meaning.loopback = is_loopback_address(address);
  }
  if (attempt.dsn->status_class == 2) {
    if (attempt.replied || !is_sent(attempt)) {
      return std::nullopt;
    }
    // The log does not say where an unknown mailer delivers.
    meaning.last = final ? Last::delivered : address.empty() ? Last::unknown : Last::relayed;
  } else {
    const bool deferred = attempt.dsn->status_class == 4 || has_prefix(attempt.status, "Deferred");
    meaning.last = deferred ? Last::deferred : Last::bounced;
    if (deferred && attempt.dsn->status_class != 4) {
      meaning.status = EnhancedStatus{4, 0, 0};
    }
  }
  if (*attempt.dsn == kRelayedStatus) {
    meaning.status = EnhancedStatus{2, 0, 0};
  }
  if (!final && is_gate(address, gates)) {
    take_gate_tag(attempt, meaning);
  }
  return meaning;
}

}  // namespace mtrk::maillog
