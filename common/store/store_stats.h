#pragma once

#include <cstdint>

namespace mtrk::store {

// StoreStats is what `mtrkctl stats` prints, with the same names.
struct StoreStats {
  std::uint64_t messages = 0;   // number of transactions
  std::uint64_t traces = 0;     // how many of these are followed in the log
  std::uint64_t queue_ids = 0;  // that the followed messages have or had here
  std::uint64_t corrupt = 0;    // rows set aside because their check failed
  std::uint64_t octets_used = 0;
  std::uint64_t octets_max = 0;
  std::uint64_t oldest_expiry = 0;  // seconds since 1970, or 0 if nothing expires
};

}  // namespace mtrk::store
