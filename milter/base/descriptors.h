#pragma once

#include "common/base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace mtrk {

// All descriptors that the process may have at most: the hard limit becomes the soft one.
void raise_descriptor_limit() noexcept;

// Says in time when descriptors run out. libmilter's listener has no answer to that: it would try
// again at once, for ever, while sessions wait for their greeting. So the last few are kept for
// what is needed besides (log files, the store, the list of the queue), and sessions are turned
// away before, which the MTA takes for a milter that is not there.
//
// Thread-safe.
class Descriptors {
 public:
  Descriptors();  // by the limit as it is now

  // Whether there is room for one more session; two system calls.
  [[nodiscard]] bool left() const;
  // Whether a log line about it is due: at most one a minute.
  [[nodiscard]] bool may_complain(std::chrono::steady_clock::time_point now);
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_;
  std::uint64_t reserve_;
  UniqueFd probe_;
  std::atomic<std::chrono::steady_clock::rep> complained_{0};
};

}  // namespace mtrk
