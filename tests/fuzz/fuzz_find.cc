// What `mtrkctl find` is asked, by anybody's hand, and what it skims of lines, by anybody's mail:
//   a time       is refused, or its end is not before its beginning
//   a criterion  is refused, or matches itself, and each line that shows it holds its anchor
//   a line       gives the same queue id skimmed and parsed; a refusal's parts are parts of the
//   line a text       in which a needle is found where a plain search finds it
#include "common/base/ascii.h"
#include "common/track/queue_id.h"
#include "milter/ctl/find/criteria.h"
#include "milter/ctl/find/needle.h"
#include "milter/ctl/find/refusal.h"
#include "milter/ctl/find/skim.h"
#include "milter/ctl/find/token_scan.h"
#include "tests/fuzz/fuzz_input.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

using namespace mtrk;        // NOLINT(google-build-using-namespace)
using namespace mtrk::find;  // NOLINT(google-build-using-namespace)

const TimePoint kNow{Seconds(1'795'000'000)};

void try_period(std::string_view text) {
  const LocalOffsets zone{Minutes(60)};
  const Expected<LogTime> since = parse_since(text, kNow, zone);
  const Expected<LogTime> until = parse_until(text, kNow, zone);
  require(since.has_value() == until.has_value());
  require(!since || *since < *until);
  require(since || !since.error().detail.empty());
}

void try_criteria(std::string_view text) {
  Criteria criteria;
  if (const auto address = AddressPattern::parse(text)) {
    require(address->kind() != AddressPattern::Kind::address || address->text() == "<>" ||
            address->matches(address->text()));
    criteria.to = *address;
    const std::string needle = anchor_of(criteria).needle;
    require(to_lower(address->text()).find(needle) != std::string::npos);
  }
  if (const auto client = ClientPattern::parse(text)) {
    static_cast<void>(client->matches(text));
  }
  if (const auto id = parse_message_id(text)) {
    require(is_message_id(*id, *id) && is_message_id("<" + *id + ">", *id));
  }
  static_cast<void>(Actions::parse(text));
}

bool is_part_of(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void try_line(std::string_view line) {
  const maillog::StampContext stamps{kNow, {}};
  const std::string_view record = skim_header(line);
  const std::string_view skimmed = queue_id_of(record);
  if (!record.empty()) {
    const auto parts = maillog::split_log_line(line, stamps);
    if (parts && !parts->program.empty()) {
      require(queue_id_of(parts->text) == skimmed);
    }
  }
  for_each_link(behind_id(record, skimmed),
                [&](std::string_view id, bool) { require(is_part_of(id, line)); });
  const auto parts = maillog::split_log_line(line, stamps);
  if (!parts) {
    return;
  }
  if (const auto refusal = parse_refusal(*parts)) {
    require(is_part_of(refusal->client, line) && is_part_of(refusal->reply, line) &&
            is_part_of(refusal->queue_id, line) && is_part_of(refusal->stage, line) &&
            is_part_of(refusal->from.value_or(""), line) &&
            is_part_of(refusal->to.value_or(""), line));
    require(may_be_refusal(parts->text));
  }
}

void try_search(std::string_view word, std::string_view text) {
  if (word.empty()) {
    return;
  }
  const Needle needle(word, text.substr(0, 64));
  require(needle.find(text, 0) == to_lower(text).find(to_lower(word)));
}

// Each place at which an id stands as it does in records is found.
void try_tokens(std::string_view id, std::string_view text) {
  if (!QueueId::is_queue_id(id)) {
    return;
  }
  TokenScan tokens;
  tokens.add(id);
  tokens.prepare();
  std::set<std::size_t> places;
  tokens.scan(text, [&](std::size_t place) { places.insert(place); });
  for (const std::string_view end : {": ", ")\n", ")\r"}) {
    const std::string whole = std::string(id) + std::string(end);
    for (std::size_t at = text.find(whole); at != std::string_view::npos;
         at = text.find(whole, at + 1)) {
      require(places.count(at + id.size()) == 1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  const unsigned kind = input.below(5);
  if (kind == 0) {
    try_period(input.rest());
  } else if (kind == 1) {
    try_criteria(input.rest());
  } else if (kind == 2) {
    try_line(input.rest());
  } else {
    const std::string word = input.text(32);
    kind == 3 ? try_search(word, input.rest()) : try_tokens(word, input.rest());
  }
  return 0;
}
