#pragma once

#include "milter/base/counters.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace mtrk {

// Checks, as far as possible, that the log describes what the mail system does: it can be read, and
// lines come when mail moves. A mail system logs at once at least one line for each message that it
// accepts. So if a message was accepted, or the queue has changed, and no line came since, the mail
// system logs elsewhere.
//
// Not thread-safe. The clock is a parameter.
class LogHealth {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPatience{120};  // to wait for a line after mail has moved
  static constexpr std::chrono::seconds kUnreadable{5};  // for which a log may be unreadable

  explicit LogHealth(Clock::time_point now) : line_at_(now), readable_at_(now) {}

  struct Change {
    bool good;
    std::string text;  // what is wrong
  };
  // Returns what has changed. To be called every few seconds.
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
