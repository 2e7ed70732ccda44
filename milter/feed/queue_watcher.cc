#include "milter/feed/queue_watcher.h"

#include "common/base/log.h"
#include "milter/base/run_command.h"
#include "milter/feed/queue_listing.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <utility>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kLogPatience = 30s;  // for the follower to reach the end of the log

std::vector<std::vector<std::string>> commands_of(const Config::Log& log) {
  std::vector<std::string> command = log.queue_command;
  if (command.empty()) {
    command = log.mta == Mta::sendmail ? std::vector<std::string>{"/usr/sbin/sendmail", "-bp"}
                                       : std::vector<std::string>{"/usr/sbin/postqueue", "-j"};
  }
  std::vector<std::vector<std::string>> commands{command};
  if (log.mta == Mta::sendmail) {  // it does not list quarantined messages with the others
    commands.push_back(std::move(command));
    commands.back().emplace_back("-qQ");
  }
  return commands;
}

std::uint64_t gaps_of(const Counters& counters) {
  return counters.gaps.load() + counters.suppressed.load();
}

}  // namespace

QueueWatcher::QueueWatcher(const Config& config,
                           const LogFollower& follower,
                           StoreQueue& queue,
                           Counters& counters)
    : mta_(config.log.mta),
      interval_(config.log.reconcile),
      commands_(commands_of(config.log)),
      follower_(follower),
      queue_(queue),
      counters_(counters),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

QueueWatcher::~QueueWatcher() {
  request_stop();
  join();
}

void QueueWatcher::start() {
  if (interval_ > Seconds(0)) {
    thread_ = std::thread([this] { run(); });
  }
}

void QueueWatcher::request_stop() {
  ::eventfd_write(stop_event_.get(), 1);
}

void QueueWatcher::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void QueueWatcher::run() noexcept {
  do {
    try {
      ask();
    } catch (const std::exception& error) {
      count(counters_.exceptions);
      log::error("", {{"queue", "list"}, {"error", error.what()}});
    }
  } while (sleep(interval_));
}

void QueueWatcher::ask() {
  const Clock::time_point asked = Clock::now();
  const std::uint64_t gaps = gaps_of(counters_);
  store::QueueReport report;
  report.mta = mta_;
  report.least_age = std::min(report.least_age, interval_);
  report.taken_at = std::chrono::floor<Seconds>(std::chrono::system_clock::now());
  const std::string complaint = list(report);
  report.whole = complaint.empty();
  count(report.whole ? counters_.queue_lists : counters_.queue_failures);
  if (!report.whole && !complained_ && !sleep(0ms)) {
    return;  // the thread is to end
  }
  if (!report.whole && !complained_) {
    log::warning("", {{"queue", "no-list"}, {"command", commands_[0][0]}, {"error", complaint}});
  } else if (report.whole && complained_) {
    log::notice("", {{"queue", "list"}, {"command", commands_[0][0]}});
  }
  complained_ = !report.whole;
  note_moves(report);
  report.log_was_read = wait_for_log(asked) && gaps_of(counters_) == gaps_;
  gaps_ = gaps;
  // If the queue is full, the next list is soon enough.
  static_cast<void>(queue_.push(std::move(report), nullptr));
}

// Counts a move if the queue has changed, because then mail came or went.
void QueueWatcher::note_moves(const store::QueueReport& report) {
  if (!report.whole) {
    return;
  }
  std::size_t fingerprint = 1;  // of a set, whose order does not matter
  for (const store::QueueReport::Message& message : report.messages) {
    fingerprint += std::hash<std::string>()(message.queue_id);
  }
  if (fingerprint_ != 0 && fingerprint_ != fingerprint) {
    count(counters_.queue_moves);
  }
  fingerprint_ = fingerprint;
}

// Reads the list. Returns what is wrong with it; empty if nothing.
std::string QueueWatcher::list(store::QueueReport& report) {
  for (const std::vector<std::string>& command : commands_) {
    const std::unique_ptr<QueueListing> listing = make_queue_listing(mta_);
    std::string complaint =
        run_command(command, {}, stop_event_.get(),
                    [&listing](std::string_view octets) { listing->feed(octets); });
    const bool whole = listing->finish();
    std::move(listing->messages().begin(), listing->messages().end(),
              std::back_inserter(report.messages));
    if (complaint.empty() && !whole) {
      complaint = "the list is not understood";
    }
    if (!complaint.empty()) {
      return complaint;
    }
  }
  return {};
}

bool QueueWatcher::wait_for_log(Clock::time_point since) {
  const Clock::time_point deadline = Clock::now() + kLogPatience;
  while (!follower_.has_caught_up(since)) {
    if (Clock::now() > deadline || !sleep(100ms)) {
      return false;
    }
  }
  return true;
}

// Returns false if it is time to stop.
bool QueueWatcher::sleep(std::chrono::milliseconds time) {
  pollfd stop{stop_event_.get(), POLLIN, 0};
  return ::poll(&stop, 1, static_cast<int>(time.count())) <= 0;
}

}  // namespace mtrk
