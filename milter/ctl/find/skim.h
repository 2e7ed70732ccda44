#pragma once

#include "common/base/octets.h"
#include "common/maillog/log_line.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What a search needs to know of each of the millions of lines that are not what it looks for: the
// queue id, and other queue ids that the line links it to. No stamp is read, nothing is allocated.
// What is skimmed here is read by the real parser (common/maillog) before anything is told of it.
// Pure.
namespace mtrk::find {

// The record of a line behind stamp, host and tag, where the header is one of the two that nearly
// all logs have ("Nov 21 16:49:22 mx postfix/smtp[1]: ", RFC 3339); empty if it is any other, which
// split_log_line() is to read.
[[nodiscard]] std::string_view skim_header(std::string_view line);

// The queue id at the front of a record, with what Postfix and Sendmail put behind it (": ", or
// "[2]: " of a record that goes on). Empty if there is none.
[[nodiscard]] std::string_view queue_id_of(std::string_view record);

// The part of a record behind its queue id and ": ".
[[nodiscard]] inline std::string_view behind_id(std::string_view record, std::string_view id) {
  const std::size_t head = id.size() + 2;
  return record.size() < head ? std::string_view() : record.substr(head);
}

// Another queue id that a record names as one of the same message. `text` is behind_id().
//   Postfix   "... forwarded as ID)", "... queued as ID)", ", orig_queue_id=ID", " orig_id=ID"
//   Sendmail  "ID: clone: owner=", "split: ..., ids=ID; ID"
// Calls visit(id, certain) for each; not certain: "queued as", which is another host's word unless
// the relay is a filter here.
template <typename Visit>
void for_each_link(std::string_view text, Visit visit);

// Whether the relay of such a record is this host, or `text` names one of the configured filters.
[[nodiscard]] bool is_handed_to_this_host(std::string_view text);

// A message-id= record's value ("<a@b>"), Postfix's; empty if it is none.
[[nodiscard]] inline std::string_view message_id_of(std::string_view text) {
  constexpr std::string_view kKey = "message-id=";
  return text.starts_with(kKey) ? text.substr(kKey.size()) : std::string_view();
}

// For tables of queue ids and Message-Ids within one run. Two that differ have the same hash with a
// probability of 2⁻⁶⁴, whoever chose them, as `seed` is drawn for the run.
[[nodiscard]] std::uint64_t hash_of(std::string_view text, std::uint64_t seed);

// Details.

// "ID" of "... as ID)"; `queued`: the word before "as" is "queued".
struct EndLink {
  std::string_view id;
  bool queued = false;
};
[[nodiscard]] EndLink link_at_end(std::string_view text);
[[nodiscard]] std::string_view link_of_client(std::string_view text);  // orig_queue_id=, orig_id=

template <typename Visit>
void for_each_link(std::string_view text, Visit visit) {
  if (text.empty()) {
    return;
  }
  if (text.back() == ')') {
    if (const EndLink link = link_at_end(text); !link.id.empty()) {
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
