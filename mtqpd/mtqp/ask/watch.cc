#include "mtqpd/mtqp/ask/watch.h"

#include "common/base/print_error.h"
#include "mtqpd/mtqp/answer/hops.h"
#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/ask/ask.h"
#include "mtqpd/mtqp/ask/track.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace mtrk::cli {
namespace {

// Returns false while a recipient is under way, even if others have failed.
bool all_over(const Travel& travel) {
  const std::vector<Journey> journeys = journeys_of(travel);
  return std::none_of(journeys.begin(), journeys.end(), [](const Journey& journey) {
    return journey.back().recipient->action == Action::delayed;
  });
}

void show_progress(std::chrono::seconds pause) {
  if (::isatty(STDERR_FILENO) == 1) {
    print_error("\rnothing new; the next look is in {} s ", pause.count());
    std::fflush(stderr);
  }
}

void clear_progress() {
  if (::isatty(STDERR_FILENO) == 1) {
    print_error("\r\x1b[K");
    std::fflush(stderr);
  }
}

}  // namespace

std::optional<std::chrono::seconds> WatchPlan::next(int exit_code, bool changed) {
  const bool trouble = exit_code == static_cast<int>(Trouble::network);
  failures_ = trouble ? failures_ + 1 : 0;
  if ((exit_code != kExitUnderWay && !trouble) || failures_ >= kMaxFailures) {
    return std::nullopt;
  }
  pause_ = changed ? interval_ : pause_;
  std::chrono::seconds pause = pause_;
  if (limit_.count() > 0) {
    if (waited_ >= limit_) {
      return std::nullopt;
    }
    pause = std::min(pause, limit_ - waited_);
  }
  waited_ += pause;
  pause_ = std::min(kMostPatient, pause_ + (pause_ + std::chrono::seconds(1)) / 2);
  return pause;
}

int run_watch(const WatchOptions& options) {
  return with_asker(options, [&](Asker& asker) {
    const TimelineStyle style = style_of_output(options.color);
    WatchPlan plan(std::chrono::seconds(options.interval), std::chrono::seconds(options.limit));
    std::string shown;
    while (true) {
      const Travel travelled = asker.run();
      std::string text =
          options.json ? format_merged(travelled) : format_timeline(travelled, style);
      const bool changed = text != shown;
      clear_progress();
      if (changed) {
        fmt::print("{}{}", shown.empty() || options.json ? "" : "\n", text);
        std::fflush(stdout);
        shown = std::move(text);
      }
      const int code = exit_code_of(travelled);
      const std::optional<std::chrono::seconds> pause =
          plan.next(all_over(travelled) ? code : kExitUnderWay, changed);
      if (!pause) {
        return code;
      }
      show_progress(*pause);
      std::this_thread::sleep_for(*pause);
    }
  });
}

}  // namespace mtrk::cli
