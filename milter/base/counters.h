#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What mtrk-milter counts, for `mtrkctl stats`. Written from all threads, relaxed: each value is
// right, a set of them is not a snapshot.
namespace mtrk {

struct Counters {
  using Value = std::atomic<std::uint64_t>;

  // Messages at the milter.
  Value untracked{0};    // MAIL without MTRK
  Value tracked{0};      // captured at end of message
  Value refused{0};      // MTRK that cannot be honoured (malformed, doubled, no ENVID)
  Value no_queue_id{0};  // tracked until then, but the MTA gave no usable queue id
  Value aborted{0};      // tracked, then given up by the client or the MTA
  Value restored{0};     // ENVID given back without the fold
  // On the way into the store.
  Value acked{0};        // end of message answered after the durable commit
  Value unacked{0};      // answered without: deadline, failed commit, or breaker open
  Value shed{0};         // captures lost: queue full, or their commit failed
  Value merge_limit{0};  // captures not kept: too many of the same ENVID and certifier
  Value breaker_opened{0};
  Value commits{0};
  Value commit_failures{0};
  Value reopened{0};  // the store had to be opened anew
  Value expired{0};   // rows removed by the sweep
  // The log.
  Value lines{0};
  Value events{0};
  Value applied{0};  // events that changed something
  Value ignored{0};
  Value unparsed{0};
  Value unknown_format{0};  // lines that hold mail log behind a header we do not know; in `ignored`
  Value truncated{0};       // lines over 64 KiB, and half lines at the end of a finished file
  Value gaps{0};            // places where log lines may be missing
  Value suppressed{0};      // entries that journald says it dropped
  Value untrusted{0};       // journal entries that name the MTA but are not its
  // The MTA's own list of its queue.
  Value queue_lists{0};     // lists that were whole
  Value queue_failures{0};  // that were not, or could not be had
  Value queue_tracked{0};   // messages with tracking on the last one: a state, not a count
  Value queue_vanished{0};  // messages that were on no list any more without a word of the log
  Value queue_moves{0};     // lists that were not the same as the one before
  Value log_current{1};     // 1 while the log can be read and lines come where mail moves: a state
  // Faults contained.
  Value exceptions{0};
  Value store_restarts{0};  // processes of the store that ended without being told to
  Value turned_away{0};     // sessions for want of descriptors
  // Not for people: signs of life of the thread that writes, and whether the log can be read now.
  Value writer_beats{0};
  Value log_unreadable{0};
};

inline void count(Counters::Value& value, std::uint64_t by = 1) {
  value.fetch_add(by, std::memory_order_relaxed);
}

// One "name value" a line, in the order above.
[[nodiscard]] std::string format_counters(const Counters& counters);

// The same text read back, names and values in its order; nothing if it is not such a text.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::uint64_t>>> parse_counters(
    std::string_view text);

// Where the daemon keeps them: beside the store, so that `mtrkctl stats` needs no daemon to ask.
[[nodiscard]] std::string counters_path(const std::string& store_path);

// The same for what `mtrkctl ingest` read: sums over all its runs on this store.
[[nodiscard]] std::string ingest_counters_path(const std::string& store_path);
using CounterRows = std::vector<std::pair<std::string, std::uint64_t>>;
[[nodiscard]] CounterRows read_counters_file(const std::string& path);  // empty if there is none
// False if that failed: they are numbers for people, nothing depends on them.
bool add_to_counters_file(const std::string& path, const CounterRows& rows) noexcept;

// Replaces `path` atomically (no fsync: it is rewritten every few seconds). False if that failed.
bool write_counters_file(const std::string& path, const std::string& text) noexcept;

}  // namespace mtrk
