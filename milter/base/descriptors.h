#pragma once

#include "common/base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace mtrk {

// Raises the soft limit of descriptors to the hard one, which is all that the process may have.
void raise_descriptor_limit() noexcept;

// Notices in time that descriptors run out. libmilter's listener cannot cope with that: it would
// try again at once, for ever, while sessions wait for their greeting. So the last few are kept for
// what is needed besides (log files, the store, the list of the queue), and sessions are turned
// away before that, which looks to the MTA like a milter that does not run.
//
// Thread-safe.
class Descriptors {
 public:
  Descriptors();  // takes the limit as it is now

  // Returns true if there is room for one more session. Costs two system calls.
  [[nodiscard]] bool left() const;
  // Returns true if a log line about it is due, which is so at most once a minute.
  [[nodiscard]] bool may_complain(std::chrono::steady_clock::time_point now);
  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_;
  std::uint64_t reserve_;
  UniqueFd probe_;
  std::atomic<std::chrono::steady_clock::rep> complained_{0};
};

}  // namespace mtrk
