#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace mtrk::mtqpd {

// ServerCounters holds what one worker counts. Only the worker's thread writes it, so no locked
// instructions are needed; any thread may read it. Each value is right, but a set of values is not
// a snapshot.
class alignas(64) ServerCounters {
 public:
  enum Name : std::size_t {
    connections,  // admitted
    turned_away,  // by a limit
    penalised,    // turned away by a penalty
    evicted,      // ended while idle, to make room
    timed_out,    // ended by a deadline
    misbehaved,   // ended for too many errors, a flood, or input after STARTTLS
    handshakes,   // completed TLS handshakes
    handshakes_failed,
    commands,
    found,  // queries answered with a report
    no_information,
    // Counts queries answered "unavailable" or "admin".
    unavailable,
    throttled,    // queries refused after too many misses
    chained,      // answers to which other servers contributed
    chained_not,  // queries about which other servers were asked in vain
    kNames,
  };
  using Values = std::array<std::uint64_t, kNames>;

  void add(Name name, std::uint64_t by = 1) {
    std::atomic<std::uint64_t>& value = values_[name];
    value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void add_to(Values& sums) const {
    for (std::size_t i = 0; i < kNames; ++i) {
      sums[i] += values_[i].load(std::memory_order_relaxed);
    }
  }

 private:
  std::array<std::atomic<std::uint64_t>, kNames> values_{};
};

struct CounterText {
  std::string_view name;
  std::string_view help;
};
// Returns the texts, indexed by ServerCounters::Name.
[[nodiscard]] const std::array<CounterText, ServerCounters::kNames>& counter_texts();

}  // namespace mtrk::mtqpd
