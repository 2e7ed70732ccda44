#include "milter/feed/log_follower.h"

#include "common/base/log.h"
#include "milter/base/thread_policy.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <exception>
#include <utility>

namespace mtrk {

LogFollower::LogFollower(OpenSource open, StoreQueue& queue, Counters& counters)
    : open_(std::move(open)),
      queue_(queue),
      counters_(counters),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

LogFollower::~LogFollower() {
  request_stop();
  join();
}

void LogFollower::start() {
  thread_ = std::thread([this] { run(); });
}

void LogFollower::request_stop() {
  stopping_ = true;
  ::eventfd_write(stop_event_.get(), 1);
}

void LogFollower::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void LogFollower::run() noexcept {
  let_others_finish();
  std::unique_ptr<LogSource> source;
  while (!stopping_) {
    try {
      if (!source) {
        source = open_();
        counters_.log_unreadable = 0;
        if (std::optional<LogLines> before = source->warm_up();
            before && !queue_.push_log(*std::move(before))) {
          return;
        }
      }
      follow(*source);
    } catch (const std::exception& error) {
      count(counters_.exceptions);
      counters_.log_unreadable = 1;
      log::error("", {{"log", source ? source->name() : "source"}, {"error", error.what()}});
      pollfd stop{stop_event_.get(), POLLIN, 0};
      ::poll(&stop, 1, static_cast<int>(LogSource::kPoll.count()));
    }
  }
}

void LogFollower::follow(LogSource& source) {
  while (!stopping_ && push_all(source)) {
    const int fd = source.watch();
    if (!push_all(source)) {  // pushes what was written before the watch was set
      return;
    }
    wait(source, fd);
  }
}

// Returns false if the queue is closed.
bool LogFollower::push_all(LogSource& source) {
  while (!stopping_) {
    const LogSource::Clock::time_point asked = LogSource::Clock::now();
    std::optional<LogLines> lines = source.next(asked);
    if (!lines) {
      caught_up_ = asked.time_since_epoch().count();
      return true;
    }
    if (!queue_.push_log(std::move(*lines))) {
      stopping_ = true;
    }
  }
  return false;
}

void LogFollower::wait(LogSource& source, int fd) {
  std::array<pollfd, 2> events{{{stop_event_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
  if (::poll(events.data(), events.size(), static_cast<int>(source.patience().count())) <= 0 ||
      events[0].revents != 0) {
    return;
  }
  ::poll(events.data(), 1, static_cast<int>(kPause.count()));  // lets the burst finish
  source.woken();
}

}  // namespace mtrk
