#include "milter/ctl/find/criteria.h"

#include "common/base/ascii.h"
#include "common/maillog/attempt_meaning.h"
#include "milter/ctl/finding.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace mtrk::find {
namespace {

constexpr std::size_t kLongest = std::size_t{64} << 10;  // octets of a criterion

Unexpected bad(std::string_view what, std::string_view written, std::string_view hint) {
  return fail(ErrorCode::syntax, std::string(what) + ": \"" + escape_for_people(written, 64) +
                                     "\" (" + std::string(hint) + ")");
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

std::string_view domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

// Returns whether a character is the same in every spelling of an address. Quotes, backslashes and
// characters that JSON escapes are not.
bool is_steady(char c) {
  constexpr std::string_view kOthers = "@._-+=";
  return is_alnum(c) || kOthers.find(c) != std::string_view::npos;
}

std::string longest_steady(std::string_view text) {
  std::string_view longest;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_steady(text[end])) {
      ++end;
    }
    if (end - i > longest.size()) {
      longest = text.substr(i, end - i);
    }
    i = end + 1;
  }
  return std::string(longest);
}

// Returns "192.0.2.7" from "mail.example.org[192.0.2.7]" and the address from "localhost [IPv6:::1]
// (may be forged)".
std::string_view address_of_client(std::string_view client) {
  const std::size_t open = client.find('[');
  const std::size_t close = client.find(']', std::min(open, client.size()));
  if (open == std::string_view::npos || close == std::string_view::npos) {
    return {};
  }
  std::string_view address = client.substr(open + 1, close - open - 1);
  if (istarts_with(address, "ipv6:")) {
    address.remove_prefix(5);
  }
  return address;
}

// Returns the text that a log shows for every address in such a network: the whole address if there
// is only one, and otherwise its leading octets. Returns an empty text if there are several ways to
// write it.
std::string needle_of_network(const Network& network) {
  constexpr unsigned kMapped = 96;
  constexpr std::size_t kFirst = 12;
  const bool v4 =
      network.bits > kMapped && std::all_of(network.address.begin(), network.address.begin() + 10,
                                            [](std::uint8_t octet) { return octet == 0; });
  if (!v4 || network.address[10] != 0xff || network.bits % 8 != 0) {
    return {};
  }
  std::string needle = "[";
  for (std::size_t i = kFirst; i < network.bits / 8; ++i) {
    needle += std::to_string(network.address[i]) + (i + 1 < network.address.size() ? "." : "");
  }
  return needle;
}

}  // namespace

Expected<AddressPattern> AddressPattern::parse(std::string_view written) {
  constexpr std::string_view kHint = "write user@example.org, @example.org or user";
  AddressPattern pattern;
  if (trim(written) == "<>") {
    pattern.text_ = "<>";
    return pattern;
  }
  std::string address = address_in(written);
  if (address.empty() || address.size() > kLongest || has_control(address)) {
    return bad("not an address", written, kHint);
  }
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos) {
    pattern.kind_ = Kind::local_part;
    pattern.key_ = to_lower(address);
  } else if (at == 0) {
    pattern.kind_ = Kind::domain;
    pattern.key_ = to_lower(address.substr(1));
  } else {
    pattern.key_ = maillog::match_key(address);
  }
  if (at + 1 == address.size()) {
    return bad("not an address", written, kHint);
  }
  pattern.text_ = std::move(address);
  return pattern;
}

bool AddressPattern::matches(std::string_view address) const {
  switch (kind_) {
    case Kind::domain:
      return iequals(domain_of(address), key_);
    case Kind::local_part:
      return iequals(address.substr(0, address.rfind('@')), key_);
    case Kind::address:
      break;
  }
  return text_ == "<>" ? address.empty() : maillog::match_key(address) == key_;
}

Expected<ClientPattern> ClientPattern::parse(std::string_view written) {
  std::string_view text = trim(written);
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  ClientPattern pattern;
  pattern.text_ = text;
  const Expected<Network> network = parse_network(text);
  if (network) {
    pattern.needle_ = needle_of_network(*network);
    pattern.network_ = *network;
    return pattern;
  }
  if (text.find('/') != std::string_view::npos) {
    return Unexpected(network.error());
  }
  const bool name =
      !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
        return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '@' ||
               static_cast<unsigned char>(c) >= 0x80;
      });
  const bool numbers =
      std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (!name || numbers) {
    return bad("not a client", written, "write mail.example.org, 192.0.2.7 or 192.0.2.0/24");
  }
  pattern.name_ = to_lower(text);
  pattern.needle_ = pattern.name_;
  return pattern;
}

bool ClientPattern::matches(std::string_view client) const {
  if (network_) {
    const Expected<Network> address = parse_network(address_of_client(client));
    return address && network_->contains(address->address);
  }
  std::string_view name = client.substr(0, client.find('['));
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) {
    name.remove_suffix(1);
  }
  if (name_[0] == '.') {
    return name.size() >= name_.size() && iequals(name.substr(name.size() - name_.size()), name_);
  }
  return iequals(name, name_);
}

Expected<Actions> Actions::parse(std::string_view list) {
  Actions actions;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view word = trim(list.substr(0, comma));
    if (const std::optional<Action> action = parse_action(word)) {
      actions.outcomes.push_back(*action);
    } else if (iequals(word, "refused")) {
      actions.refused = true;
    } else if (iequals(word, "discarded")) {
      actions.discarded = true;
    } else {
      return bad("not an action", word,
                 "one of failed, delayed, delivered, relayed, transferred, expanded, opaque, "
                 "refused, discarded");
    }
    if (comma == list.size()) {
      return actions;
    }
    list.remove_prefix(comma + 1);
  }
}

Expected<std::string> parse_message_id(std::string_view written) {
  std::string_view id = trim(written);
  if (id.size() >= 2 && id.front() == '<' && id.back() == '>') {
    id = trim(id.substr(1, id.size() - 2));
  }
  if (id.empty() || id.size() > kLongest || has_control(id)) {
    return bad("not a Message-Id", written, "write it like <abc@mail.example.org>");
  }
  return std::string(id);
}

bool is_message_id(std::string_view logged, std::string_view wanted) {
  if (logged.size() == wanted.size() + 2 && logged.front() == '<' && logged.back() == '>') {
    logged = logged.substr(1, wanted.size());
  }
  return iequals(logged, wanted);
}

std::string Criteria::in_words() const {
  std::string words;
  const auto add = [&words](std::string_view what, std::string_view value) {
    words += (words.empty() ? "" : ", ") + std::string(what) + " " + std::string(value);
  };
  if (from) {
    add("from", from->text());
  }
  if (to) {
    add("to", to->text());
  }
  if (!message_id.empty()) {
    add("Message-Id", "<" + message_id + ">");
  }
  if (client) {
    add("by client", client->text());
  }
  if (!user.empty()) {
    add("of user", user);
  }
  if (!queue_id.empty()) {
    add("queue id", queue_id);
  }
  return words;
}

Anchor anchor_of(const Criteria& criteria) {
  using By = Anchor::By;
  using Kind = AddressPattern::Kind;
  constexpr std::size_t kShortest = 2;
  std::vector<Anchor> anchors;  // the best comes first
  const auto add = [&anchors](By by, std::string needle) {
    if (needle.size() >= kShortest) {
      anchors.push_back({by, to_lower(needle)});
    }
  };
  const auto add_addresses = [&](Kind kind) {
    if (criteria.from && criteria.from->kind() == kind) {
      add(By::from, longest_steady(criteria.from->text()));
    }
    if (criteria.to && criteria.to->kind() == kind) {
      add(By::to, longest_steady(criteria.to->text()));
    }
  };
  add(By::message_id, longest_steady(criteria.message_id));
  add_addresses(Kind::address);
  add_addresses(Kind::local_part);
  add(By::user, longest_steady(criteria.user));
  if (criteria.client) {
    add(By::client, criteria.client->needle());
  }
  add_addresses(Kind::domain);
  if (!criteria.queue_id.empty()) {  // a queue id needs no search for a text
    return {By::queue_id, {}};
  }
  return anchors.empty() ? Anchor() : std::move(anchors.front());
}

}  // namespace mtrk::find
