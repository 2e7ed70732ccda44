#include "milter/feed/log_health.h"

#include <utility>

namespace mtrk {

std::optional<LogHealth::Change> LogHealth::look(const Counters& counters, Clock::time_point now) {
  const std::uint64_t lines = counters.lines + counters.truncated;
  const std::uint64_t moves = counters.tracked + counters.queue_moves;
  if (std::exchange(lines_, lines) != lines) {
    line_at_ = now;
    moved_at_.reset();
  }
  if (std::exchange(moves_, moves) != moves && !moved_at_) {
    moved_at_ = now;
  }
  if (counters.log_unreadable == 0) {
    readable_at_ = now;
  }
  const bool unreadable = now - readable_at_ >= kUnreadable;
  const bool silent = moved_at_ && now - *moved_at_ >= kPatience && now - line_at_ >= kPatience;
  const bool good = !unreadable && !silent;
  if (good == good_) {
    return std::nullopt;
  }
  good_ = good;
  return Change{good, unreadable ? "cannot be read: what becomes of mail is not known"
                      : silent   ? "no lines although mail moves: it goes elsewhere"
                                 : ""};
}

}  // namespace mtrk
