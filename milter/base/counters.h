#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Counters holds what mtrk-milter counts, for `mtrkctl stats`. All threads write it, with relaxed
// order: each value is right, but a set of values is not a snapshot.
namespace mtrk {

struct Counters {
  using Value = std::atomic<std::uint64_t>;

  // These count messages at the milter:
  Value untracked{0};  // MAIL without MTRK
  Value tracked{0};    // captured at end of message
  // Counts MTRK that cannot be honoured: malformed, doubled, or without ENVID.
  Value refused{0};
  Value no_queue_id{0};  // tracked until then, but the MTA gave no usable queue id
  Value aborted{0};      // tracked, then given up by the client or the MTA
  Value restored{0};     // ENVID given back without the fold
  // These count what is on its way into the store:
  Value acked{0};    // end of message answered after the durable commit
  Value unacked{0};  // answered without it: deadline, failed commit, or open breaker
  Value shed{0};     // captures lost: the queue was full, or their commit failed
  // Counts captures that were not kept because too many had the same ENVID and certifier.
  Value merge_limit{0};
  Value breaker_opened{0};
  Value commits{0};
  Value commit_failures{0};
  Value reopened{0};  // the store had to be opened anew
  Value expired{0};   // rows that the sweep removed
  // These are about the log:
  Value lines{0};
  Value events{0};
  Value applied{0};  // events that changed something
  Value ignored{0};
  Value unparsed{0};
  // Counts lines that hold mail log after an unknown header; `ignored` counts them, too.
  Value unknown_format{0};
  Value truncated{0};   // lines over 64 KiB, and half lines at the end of a finished file
  Value gaps{0};        // places where log lines may be missing
  Value suppressed{0};  // entries that journald says it dropped
  Value untrusted{0};   // journal entries that name the MTA but are not its own
  // These are about the MTA's own list of its queue:
  Value queue_lists{0};     // lists that were whole
  Value queue_failures{0};  // lists that were not whole, or could not be had
  // Holds the number of tracked messages on the last list: a state, not a count.
  Value queue_tracked{0};
  // Counts messages that had left the list although the log said nothing of them.
  Value queue_vanished{0};
  Value queue_moves{0};  // lists that differed from the one before
  // This is 1 while the log can be read and lines come when mail moves: a state.
  Value log_current{1};
  // These count faults that were contained:
  Value exceptions{0};
  // Counts processes of the store that ended without having been asked to.
  Value store_restarts{0};
  Value turned_away{0};  // sessions turned away because descriptors ran out
  // These are not for people: signs of life of the thread that writes, and whether the log cannot
  // be read now.
  Value writer_beats{0};
  Value log_unreadable{0};
};

inline void count(Counters::Value& value, std::uint64_t by = 1) {
  value.fetch_add(by, std::memory_order_relaxed);
}

// Returns one "name value" in a line, in the order above.
[[nodiscard]] std::string format_counters(const Counters& counters);

// Reads the same text back: names and values in its order. Returns nothing if it is not such a
// text.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::uint64_t>>> parse_counters(
    std::string_view text);

// Returns where the daemon keeps the counters: beside the store, so that `mtrkctl stats` needs no
// running daemon.
[[nodiscard]] std::string counters_path(const std::string& store_path);

// Returns the same for what `mtrkctl ingest` read: the sums over all its runs on this store.
[[nodiscard]] std::string ingest_counters_path(const std::string& store_path);
using CounterRows = std::vector<std::pair<std::string, std::uint64_t>>;
[[nodiscard]] CounterRows read_counters_file(const std::string& path);  // empty if there is no file
// Returns false if it failed. Nothing depends on these numbers; they are for people.
bool add_to_counters_file(const std::string& path, const CounterRows& rows) noexcept;

// Replaces `path` atomically, without fsync, because it is rewritten every few seconds. Returns
// false if it failed.
bool write_counters_file(const std::string& path, const std::string& text) noexcept;

}  // namespace mtrk
