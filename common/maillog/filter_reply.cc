#include "common/maillog/filter_reply.h"

#include "common/base/ascii.h"
#include "common/track/enhanced_status.h"

#include <algorithm>
#include <array>
#include <string>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kFirstWords = 8;

// Takes the next word, in lower case, without the punctuation around it. The result is empty if
// something else comes, such as an address in brackets.
std::string take_reply_word(std::string_view& text) {
  const auto is_letter = [](char c) { return is_alnum(c) || c == '.' || c == '='; };
  text.remove_prefix(std::min(text.find_first_not_of(" ,;:-("), text.size()));
  const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
  const std::size_t length = static_cast<std::size_t>(end - text.begin());
  std::string word = to_lower(text.substr(0, length));
  text.remove_prefix(length);
  while (!word.empty() && word.back() == '.') {
    word.pop_back();
  }
  return word;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_verdict(std::string_view word) {
  constexpr std::array<std::string_view, 14> kVerdicts = {
      "discarded", "discard", "discarding", "blocked", "block",      "quarantined", "quarantine",
      "bounced",   "bounce",  "rejected",   "dropped", "blackholed", "deleted",     "denied"};
  return is_one_of(word, kVerdicts);
}

// Returns whether the word may precede a verdict: "Ok, but", "Message was", "moved to spam", "Ok,
// id=12-03,".
bool leads_to_verdict(std::string_view word) {
  constexpr std::array<std::string_view, 32> kLeads = {
      "ok",  "message", "mail",     "email",  "e",    "content", "spam",     "virus",
      "ube", "banned",  "infected", "it",     "has",  "been",    "was",      "is",
      "but", "and",     "then",     "silent", "sent", "to",      "silently", "accepted",
      "the", "moved",   "stored",   "placed", "put",  "saved",   "in",       "into"};
  return is_one_of(word, kLeads) || word.substr(0, 3) == "id=";
}

// Returns whether the text is "OK (2B9A1C60092030F33)" and nothing else.
bool is_gateway_acceptance(std::string_view text) {
  if (text.size() < 6 || text.substr(0, 4) != "OK (" || text.back() != ')') {
    return false;
  }
  const std::string_view id = text.substr(4, text.size() - 5);
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); });
}

}  // namespace

bool is_filter_reply(std::string_view reply) {
  if (reply.size() > 4 && std::all_of(reply.begin(), reply.begin() + 3, is_digit) &&
      (reply[3] == ' ' || reply[3] == '-')) {
    reply.remove_prefix(4);
  }
  const std::string_view first = reply.substr(0, reply.find(' '));
  if (const auto status = parse_enhanced_status(first)) {
    reply.remove_prefix(std::min(first.size() + 1, reply.size()));
    if (*status == EnhancedStatus{2, 5, 0} && is_gateway_acceptance(reply)) {
      return true;
    }
  }
  for (std::size_t i = 0; i < kFirstWords && !reply.empty(); ++i) {
    const std::string word = take_reply_word(reply);
    if (is_verdict(word)) {
      return true;
    }
    if (word.empty() || !leads_to_verdict(word)) {
      return false;
    }
    if (word.substr(0, 3) == "id=") {  // skips the rest of "id=00471-11"
      reply.remove_prefix(std::min(reply.find_first_of(" ,"), reply.size()));
    }
  }
  return false;
}

}  // namespace mtrk::maillog
