#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace mtrk::mtqpd {

// What a worker counts. Written by its thread alone, hence without locked instructions; read from
// any. Each value is right, a set of them is not a snapshot.
class alignas(64) ServerCounters {
 public:
  enum Name : std::size_t {
    connections,  // admitted
    turned_away,  // by a limit
    penalised,    // by a penalty
    evicted,      // idle, to make room
    timed_out,    // by a deadline
    misbehaved,   // too many errors, flood, input behind STARTTLS
    handshakes,   // TLS, completed
    handshakes_failed,
    commands,
    found,  // queries answered with a report
    no_information,
    unavailable,  // store out of service, or we are
    throttled,    // queries refused after too many misses
    chained,      // answers that other servers added to
    chained_not,  // queries that other servers were asked for in vain
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
// By ServerCounters::Name.
[[nodiscard]] const std::array<CounterText, ServerCounters::kNames>& counter_texts();

}  // namespace mtrk::mtqpd
