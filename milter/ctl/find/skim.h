#pragma once

#include "common/base/octets.h"
#include "common/maillog/log_line.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// These functions find what a search needs from each of the millions of lines that it does not look
// for: the queue id, and other queue ids that the line links to it. They read no stamp and allocate
// nothing. The real parser (common/maillog) reads a skimmed line before anything in it is reported.
// Pure.
namespace mtrk::find {

// Returns the record of a line, which follows stamp, host and tag. The header must be one of the
// two that nearly all logs have ("Nov 21 16:49:22 mx postfix/smtp[1]: ", RFC 3339). For any other
// header it returns an empty text, and split_log_line() has to read the line.
[[nodiscard]] inline std::string_view skim_header(std::string_view line);

// Returns the queue id at the front of a record, if it is followed by what Postfix and Sendmail put
// there (": ", or "[2]: " for a record that continues). Returns an empty text if there is none.
[[nodiscard]] inline std::string_view queue_id_of(std::string_view record);

// Returns the part of a record after its queue id and ": ".
[[nodiscard]] inline std::string_view behind_id(std::string_view record, std::string_view id) {
  const std::size_t head = id.size() + 2;
  return record.size() < head ? std::string_view()
                              : std::string_view(record.data() + head, record.size() - head);
}

// Finds the other queue ids that a record gives to the same message. `text` is behind_id().
//
//   Postfix   "... forwarded as ID)", "... queued as ID)", ", orig_queue_id=ID", " orig_id=ID"
//   Sendmail  "ID: clone: owner=", "split: ..., ids=ID; ID"
//
// Calls visit(id, certain) for each. It is not certain for "queued as", which is another host's
// word unless the relay is a filter here.
template <typename Visit>
void for_each_link(std::string_view text, Visit visit);

// Returns whether the relay of such a record is this host, or `text` names a configured filter.
[[nodiscard]] bool is_handed_to_this_host(std::string_view text);

// Returns the value ("<a@b>") of a message-id= record of Postfix, or an empty text for other
// records.
[[nodiscard]] inline std::string_view message_id_of(std::string_view text) {
  constexpr std::string_view kKey = "message-id=";
  const bool is_one = text.size() > kKey.size() && text[0] == 'm' && text.starts_with(kKey);
  return is_one ? std::string_view(text.data() + kKey.size(), text.size() - kKey.size())
                : std::string_view();
}

// Returns a hash for tables of queue ids and Message-Ids within one run. Two different texts have
// the same hash with a probability of 2⁻⁶⁴, whoever chose them, because `seed` is drawn for the
// run.
[[nodiscard]] inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed);

// The details are in this header because they run for each line.

inline constexpr std::size_t kShortestId = 6;
inline constexpr std::size_t kLongestId = 32;

inline std::string_view skim_header(std::string_view line) {
  constexpr std::size_t kTraditional = 16;  // octets of "Nov 21 16:49:22 "
  constexpr std::size_t kShortestLine = 48;
  if (line.size() < kShortestLine) {
    return {};
  }
  const char* const p = line.data();
  const auto from = [&](std::size_t at) { return std::string_view(p + at, line.size() - at); };
  std::size_t at = kTraditional;
  if (p[3] == ' ') {
    if (p[15] != ' ' || p[6] != ' ' || p[9] != ':' || p[12] != ':' || p[14] < '0' || p[14] > '9' ||
        p[5] < '0' || p[5] > '9' || p[0] < 'A' || p[0] > 'Z') {
      return {};
    }
  } else if (p[10] == 'T' && p[4] == '-' && p[7] == '-' && p[13] == ':' && p[16] == ':' &&
             p[0] >= '0' && p[0] <= '9') {
    at += octets::find_near(from(at), ' ') + 1;
  } else {
    return {};
  }
  if (at + octets::kWord >= line.size()) {
    return {};
  }
  const std::size_t program = at + octets::find_near(from(at), ' ') + 1;
  // The tag ends with a bracket, digits, and "]: ". The loop looks at whole words while the line is
  // long enough.
  std::size_t open = program;
  for (;; open += octets::kWord) {
    if (open + 2 * octets::kWord + 4 > line.size()) {
      return {};
    }
    const std::uint64_t word = octets::load(p + open);
    const std::uint64_t ends =
        octets::equal_to(word, '[') | octets::equal_to(word, ' ') | octets::equal_to(word, ':');
    if (ends != 0) {
      open += octets::before_first(ends);
      break;
    }
  }
  if (p[open] != '[' || open == program || p[program] == 'd' || p[program] == 'c') {
    return {};
  }
  const std::uint64_t word = octets::load(p + open + 1);
  const std::size_t digits = octets::before_first(~octets::between(word, '0', '9') & octets::kHigh);
  const char* const close = p + open + 1 + digits;
  if (digits == 0 || digits == octets::kWord || close + 3 >= p + line.size() || close[0] != ']' ||
      close[1] != ':' || close[2] != ' ' || close[3] == '[') {
    return {};
  }
  return from(static_cast<std::size_t>(close + 3 - p));
}

inline std::string_view queue_id_of(std::string_view record) {
  std::size_t size = 0;
  std::uint64_t digits = 0;
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  std::size_t taken = octets::kWord;
  while (taken == octets::kWord && size <= kLongestId && size + octets::kWord <= record.size()) {
    const std::uint64_t word = octets::load(record.data() + size);
    const std::uint64_t found = octets::between(word, '0', '9');
    const std::uint64_t letters = octets::between(word | octets::kOnes * 0x20, 'a', 'z');
    taken = octets::before_first(~(found | letters) & octets::kHigh);
    digits |= found & octets::first(taken);
    size += taken;
  }
  if (taken == octets::kWord) {  // a short record is compared octet by octet
    for (; size < record.size() && size <= kLongestId; ++size) {
      const char c = record[size];
      const bool digit = c >= '0' && c <= '9';
      if (!digit && !is_letter(c)) {
        break;
      }
      digits |= digit ? 1U : 0U;
    }
  }
  if (size < kShortestId || size > kLongestId || size + 1 >= record.size()) {
    return {};
  }
  const char end = record[size];
  const char next = record[size + 1];
  if (!(end == ':' && next == ' ') && !(end == '[' && next >= '0' && next <= '9')) {
    return {};
  }
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'F'; };
  const bool good = digits != 0 || std::all_of(record.begin(), record.begin() + size, is_capital);
  return good ? std::string_view(record.data(), size) : std::string_view();
}

inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = seed + kMix * text.size();
  for (; left > 2 * octets::kWord; left -= octets::kWord, at += octets::kWord) {
    hash = mix(hash ^ octets::load(at), kMix ^ seed);
  }
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (left >= octets::kWord) {
    first = octets::load(at);
    last = octets::load(at + left - octets::kWord);
  } else {
    std::memcpy(&first, at, left);
  }
  return mix(mix(hash ^ first, kMix + seed) ^ last, kMix ^ seed);
}

// The "ID" of "... as ID)". `queued` says that the word before "as" is "queued".
struct EndLink {
  std::string_view id;
  bool queued = false;
};
[[nodiscard]] EndLink link_at_end(std::string_view text);  // `text` ends with ")"
// Does the same if something follows the record (common/maillog/record_end.h).
[[nodiscard]] EndLink link_before_litter(std::string_view text);
[[nodiscard]] std::string_view link_of_client(std::string_view text);  // orig_queue_id=, orig_id=

template <typename Visit>
void for_each_link(std::string_view text, Visit visit) {
  if (text.empty()) {
    return;
  }
  if (text.back() == ')' || text.starts_with("to=<")) {
    const EndLink link = text.back() == ')' ? link_at_end(text) : link_before_litter(text);
    if (!link.id.empty()) {
      visit(link.id, !link.queued);
    }
    return;
  }
  if (text.starts_with("client=") || text.starts_with("uid=")) {
    if (const std::string_view id = link_of_client(text); !id.empty()) {
      visit(id, true);
    }
    return;
  }
  if (text.starts_with("split: ")) {
    const std::size_t key = text.find("id");
    for (std::size_t i = text.find('=', key); key < text.size() && i < text.size();) {
      ++i;
      const std::size_t end = std::min(text.find_first_of("; ", i), text.size());
      if (end > i) {
        visit(text.substr(i, end - i), true);
      }
      i = end;
    }
    return;
  }
  if (const std::string_view id = queue_id_of(text);
      !id.empty() && behind_id(text, id).starts_with("clone: ")) {
    visit(id, true);
  }
}

}  // namespace mtrk::find
