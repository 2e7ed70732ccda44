#pragma once

#include <cstdint>

namespace mtrk::store {

// `mtrkctl stats`; names as printed there.
struct StoreStats {
  std::uint64_t messages = 0;   // transactions
  std::uint64_t traces = 0;     // of these followed in the log
  std::uint64_t queue_ids = 0;  // that the followed ones have or had here
  std::uint64_t corrupt = 0;    // rows set aside because their check failed
  std::uint64_t octets_used = 0;
  std::uint64_t octets_max = 0;
  std::uint64_t oldest_expiry = 0;  // seconds since 1970; 0 = nothing to expire
};

}  // namespace mtrk::store
