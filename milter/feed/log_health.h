#pragma once

#include "milter/base/counters.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mtrk {

// Whether what the log says is what the mail system does, as far as that can be seen: the log can
// be read, and where mail moves, lines come. A mail system logs at least one line for each message
// that it takes, at once; so a message that was taken, or a queue that is not the same as before,
// without a line since is a log that goes elsewhere.
//
// Not thread-safe. The clock is a parameter.
class LogHealth {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPatience{120};  // for a line, once mail has moved
  static constexpr std::chrono::seconds kUnreadable{5};  // for a log that cannot be read

  explicit LogHealth(Clock::time_point now) : line_at_(now), readable_at_(now) {}

  struct Change {
    bool good;
    std::string text;  // what is wrong
  };
  // To be called every few seconds; what changed.
  [[nodiscard]] std::optional<Change> look(const Counters& counters, Clock::time_point now);

 private:
  std::uint64_t lines_ = 0;
  std::uint64_t moves_ = 0;
  std::uint64_t unreadable_ = 0;
  Clock::time_point line_at_;
  Clock::time_point readable_at_;
  std::optional<Clock::time_point> moved_at_;  // the first time since the last line
  bool good_ = true;
};

}  // namespace mtrk
