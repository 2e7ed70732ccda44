#include "milter/base/counters.h"

#include "common/base/ascii.h"
#include "common/base/small_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace mtrk {

std::string format_counters(const Counters& counters) {
  const std::pair<std::string_view, const Counters::Value*> rows[] = {
      {"untracked", &counters.untracked},
      {"tracked", &counters.tracked},
      {"refused", &counters.refused},
      {"no_queue_id", &counters.no_queue_id},
      {"aborted", &counters.aborted},
      {"restored", &counters.restored},
      {"acked", &counters.acked},
      {"unacked", &counters.unacked},
      {"shed", &counters.shed},
      {"merge_limit", &counters.merge_limit},
      {"breaker_opened", &counters.breaker_opened},
      {"commits", &counters.commits},
      {"commit_failures", &counters.commit_failures},
      {"reopened", &counters.reopened},
      {"expired", &counters.expired},
      {"lines", &counters.lines},
      {"events", &counters.events},
      {"applied", &counters.applied},
      {"ignored", &counters.ignored},
      {"unparsed", &counters.unparsed},
      {"unknown_format", &counters.unknown_format},
      {"truncated", &counters.truncated},
      {"gaps", &counters.gaps},
      {"suppressed", &counters.suppressed},
      {"untrusted", &counters.untrusted},
      {"queue_lists", &counters.queue_lists},
      {"queue_failures", &counters.queue_failures},
      {"queue_tracked", &counters.queue_tracked},
      {"queue_vanished", &counters.queue_vanished},
      {"queue_moves", &counters.queue_moves},
      {"log_current", &counters.log_current},
      {"exceptions", &counters.exceptions},
      {"store_restarts", &counters.store_restarts},
      {"turned_away", &counters.turned_away},
  };
  std::string text;
  for (const auto& [name, value] : rows) {
    fmt::format_to(std::back_inserter(text), "{} {}\n", name,
                   value->load(std::memory_order_relaxed));
  }
  return text;
}

std::optional<std::vector<std::pair<std::string, std::uint64_t>>> parse_counters(
    std::string_view text) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t blank = line.find(' ');
    if (end == std::string_view::npos || blank == std::string_view::npos) {
      return std::nullopt;
    }
    const auto value = parse_number<std::uint64_t>(line.substr(blank + 1));
    if (!value) {
      return std::nullopt;
    }
    rows.emplace_back(line.substr(0, blank), *value);
    text.remove_prefix(end + 1);
  }
  return rows;
}

std::string counters_path(const std::string& store_path) {
  return store_path + "/milter.stats";
}

std::string ingest_counters_path(const std::string& store_path) {
  return store_path + "/ingest.stats";
}

CounterRows read_counters_file(const std::string& path) {
  constexpr std::size_t kLongest = std::size_t{64} << 10;
  return parse_counters(read_small_file(path, kLongest).value_or(std::string()))
      .value_or(CounterRows());
}

bool add_to_counters_file(const std::string& path, const CounterRows& rows) noexcept try {
  const CounterRows before = read_counters_file(path);
  std::string text;
  for (const auto& more : rows) {
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& row) { return row.first == more.first; });
    fmt::format_to(std::back_inserter(text), "{} {}\n", more.first,
                   more.second + (same == before.end() ? 0 : same->second));
  }
  return write_counters_file(path, text);
} catch (...) {
  return false;
}

bool write_counters_file(const std::string& path, const std::string& text) noexcept {
  return replace_small_file(path, text, 0640) == 0;
}

}  // namespace mtrk
