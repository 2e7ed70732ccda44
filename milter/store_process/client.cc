#include "milter/store_process/client.h"

#include "common/base/exit_code.h"
#include "common/base/log.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstRestart = 100ms;  // delay before the next store process; it doubles
constexpr auto kLatestRestart = 5s;
constexpr int kMostAttempts = 3;       // how many store processes may end with one operation
constexpr int kMostDamaged = 3;        // how many in a row may die of a store or find it damaged
constexpr auto kLookForLife = 5s;      // how often the thread looks for a sign of life
constexpr auto kStuck = 30s;           // the process is killed after so long without a sign of life
constexpr auto kCarefulStart = 30min;  // limit of silence while a process checks the store
constexpr const char* kStatusServing = "serving";

}  // namespace

StoreClient::StoreClient(StoreKeeper& keeper,
                         int wake,
                         CircuitBreaker& breaker,
                         Counters& counters,
                         std::size_t max_operations)
    : keeper_(keeper),
      wake_(wake),
      self_wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      breaker_(breaker),
      counters_(counters),
      max_operations_(max_operations) {}

StoreClient::~StoreClient() {
  stop();
}

std::optional<int> StoreClient::start() {
  start_at_ = Clock::now();
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  first_start_.wait(lock, [this] { return outcome_.has_value(); });
  return *outcome_;
}

void StoreClient::reload() {
  const std::lock_guard lock(mutex_);
  reloaded_ = true;
  if (serving_) {
    store_wire::append_frame(unsent_, store_wire::Reload{});
    send_more();
    wake();
  }
}

void StoreClient::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (serving_) {
      store_wire::append_frame(unsent_, store_wire::Stop{});
      send_more();
      wake();
    }
  }
  ::eventfd_write(self_wake_.get(), 1);
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::string StoreClient::log_name() const {
  const std::lock_guard lock(mutex_);
  return log_name_;
}

std::string StoreClient::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::optional<std::string> StoreClient::take_status() {
  const std::lock_guard lock(mutex_);
  return std::exchange(status_changed_, false) ? std::optional(status_) : std::nullopt;
}

// The milter callbacks call these functions.

bool StoreClient::put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) {
  std::string frame;
  Sequence sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    sequence = next_++;
  }
  if (ticket) {
    ticket->sequence = sequence;
  }
  store_wire::append_frame(frame, store_wire::Put{sequence, std::move(capture)});
  const std::lock_guard lock(mutex_);
  return add(sequence, std::move(frame), std::move(ticket));
}

bool StoreClient::confirm(ConfirmCapture confirmation, CommitTicket& ticket) {
  const std::lock_guard lock(mutex_);
  const auto known = pending_.find(ticket.sequence);
  if (known != pending_.end()) {
    store_wire::make_final(known->second.frame);  // in case it has to be sent again
    if (!serving_) {
      return true;
    }
  }
  const Sequence sequence = next_++;
  std::string frame;
  store_wire::append_frame(frame,
                           store_wire::Confirm{sequence, ticket.sequence, std::move(confirmation)});
  // A caller that confirms usually waits then, which sends both. Otherwise this is not urgent.
  return add(sequence, std::move(frame), nullptr, Send::later);
}

bool StoreClient::drop(std::string queue_id, std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  const Sequence sequence = next_++;
  std::string frame;
  store_wire::append_frame(frame, store_wire::Drop{sequence, {std::move(queue_id), ticket}});
  return add(sequence, std::move(frame), nullptr);
}

void StoreClient::hurry(CommitTicket& ticket, std::size_t company) {
  const std::lock_guard lock(mutex_);
  if (serving_ && pending_.contains(ticket.sequence)) {
    store_wire::append_frame(unsent_, store_wire::Hurry{ticket.sequence, company});
    send_more();
    wake();
  }
}

bool StoreClient::add(Sequence sequence,
                      std::string frame,
                      std::shared_ptr<CommitTicket> ticket,
                      Send send) {
  if (stopping_ || pending_.size() >= max_operations_) {
    return false;
  }
  if (serving_) {
    unsent_ += frame;
  }
  pending_.emplace(sequence, Pending{std::move(frame), std::move(ticket)});
  if (serving_ && send == Send::now) {
    send_more();
  }
  return true;
}

void StoreClient::send_more() {
  while (!unsent_.empty() && connection_) {
    const ssize_t sent =
        ::send(connection_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {  // the socket is full, or the process is gone, which the thread notices
      wake();
      ::eventfd_write(self_wake_.get(), 1);
      return;
    }
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

void StoreClient::wake() {
  ::eventfd_write(wake_, 1);
}

// The thread runs these functions.

void StoreClient::run() noexcept {
  alive_at_ = Clock::now();
  while (!ended_) {
    try {
      Clock::duration pause = kLookForLife;
      if (start_at_) {
        start_again();
        pause = start_at_ ? *start_at_ - Clock::now() : pause;
      }
      look(static_cast<int>(
          std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(pause).count())));
      watch_for_life();
    } catch (const std::exception& error) {
      count(counters_.exceptions);
      log::error("", {{"store", "client"}, {"error", error.what()}});
      std::this_thread::sleep_for(kFirstRestart);
    }
  }
}

void StoreClient::look(int timeout_ms) {
  std::array<pollfd, 3> events{
      {{self_wake_.get(), POLLIN, 0}, {keeper_.ended_fd(), POLLIN, 0}, {-1, POLLIN, 0}}};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ && !connection_) {
      ended_ = true;
      return;
    }
    events[2].fd = connection_.get();
    if (!unsent_.empty()) {
      events[2].events |= POLLOUT;
    }
  }
  if (::poll(events.data(), events.size(), timeout_ms) <= 0) {
    return;
  }
  if (events[0].revents != 0) {
    eventfd_t ignored = 0;
    ::eventfd_read(self_wake_.get(), &ignored);
  }
  if ((events[2].revents & POLLOUT) != 0) {
    const std::lock_guard lock(mutex_);
    send_more();
    wake();
  }
  if ((events[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    receive();
  }
  if (events[1].revents != 0) {
    receive();  // the last messages of the process
    store_ended();
  }
}

void StoreClient::receive() {
  std::array<char, 16 * 1024> octets;
  for (;;) {
    const ssize_t got = ::recv(connection_.get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      if (got == 0 || errno != EAGAIN) {  // the keeper reports the end of the process
        std::this_thread::sleep_for(1ms);
      }
      break;
    }
    frames_.feed({octets.data(), static_cast<std::size_t>(got)});
  }
  for (;;) {
    Expected<std::optional<store_wire::Message>> message = frames_.next();
    if (!message) {
      keeper_.kill();
      return;
    }
    if (!*message) {
      return;
    }
    handle(**std::move(message));
  }
}

void StoreClient::handle(store_wire::Message message) {
  if (const auto* done = std::get_if<store_wire::Done>(&message)) {
    std::shared_ptr<CommitTicket> ticket;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = pending_.find(done->sequence); known != pending_.end()) {
        ticket = std::move(known->second.ticket);
        pending_.erase(known);
      }
    }
    if (ticket) {
      ticket->complete(done->result);
    }
  } else if (const auto* batch = std::get_if<store_wire::Batch>(&message)) {
    if (batch->committed) {
      failures_ = 0;
      if (batch->took.count() > 0) {  // a batch that wrote nothing proves nothing
        damaged_ = 0;
        gave_up_store_ = false;
      }
      next_start_ = {};
      breaker_.committed(Clock::now(), batch->took);
    } else {
      breaker_.commit_failed();
    }
  } else if (auto* ready = std::get_if<store_wire::Ready>(&message)) {
    begin_serving(std::move(ready->log));
  } else if (auto* status = std::get_if<store_wire::Status>(&message)) {
    set_status(status->text.empty() ? kStatusServing : std::move(status->text));
  }
}

void StoreClient::begin_serving(std::string log) {
  {
    const std::lock_guard lock(mutex_);
    unsent_.clear();
    for (auto& [sequence, pending] : pending_) {
      unsent_ += pending.frame;
    }
    if (reloaded_) {
      store_wire::append_frame(unsent_, store_wire::Reload{});
    }
    store_wire::append_frame(unsent_, store_wire::Begin{});
    if (stopping_) {
      store_wire::append_frame(unsent_, store_wire::Stop{});
    }
    log_name_ = std::move(log);
    serving_ = true;
    send_more();
    if (!outcome_) {
      outcome_.emplace(std::nullopt);
    } else {
      log::notice("", {{"store", "open"}, {"log", log_name_}});
    }
  }
  wake();
  first_start_.notify_all();
  set_status(kStatusServing);
}

void StoreClient::start_again() {
  if (Clock::now() < *start_at_) {
    return;
  }
  UniqueFd fresh = keeper_.start(next_start_);
  frames_ = {};
  const std::lock_guard lock(mutex_);
  connection_ = std::move(fresh);
  start_at_.reset();
  alive_at_ = Clock::now();
}

// Handles the end of the store process. What was sent to it and is not committed goes to the next
// one.
void StoreClient::store_ended() {
  const std::optional<int> status = keeper_.ended();
  const bool exited = status && WIFEXITED(*status);
  const int code = exited ? WEXITSTATUS(*status) : 0;
  std::vector<std::shared_ptr<CommitTicket>> given_up;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    connection_.reset(-1);
    stopping = stopping_;
    for (auto pending = pending_.begin(); serving_ && pending != pending_.end();) {
      if (++pending->second.attempts < kMostAttempts) {
        ++pending;
        continue;
      }
      count(counters_.shed);
      given_up.push_back(std::move(pending->second.ticket));
      pending = pending_.erase(pending);
    }
    serving_ = false;
    unsent_.clear();
  }
  for (const std::shared_ptr<CommitTicket>& ticket : given_up) {
    if (ticket) {
      ticket->complete(CommitResult::failed);
    }
  }
  if (!status || stopping) {
    ended_ = true;
    if (!status) {
      log::error("", {{"store", "its keeper is gone, mail goes on untracked until a restart"}});
    }
    const std::lock_guard lock(mutex_);
    if (!outcome_) {
      outcome_.emplace(exit_code::os_error);
    }
    first_start_.notify_all();
    return;
  }
  breaker_.commit_failed();
  count(counters_.store_restarts);
  const bool unusable = exited && code >= exit_code::usage && code != exit_code::data_error;
  if (!exited) {
    log::error("", {{"store", "died"},
                    {"signal", fmt::to_string(WTERMSIG(*status))},
                    {"mail", "goes on untracked until it is back"}});
  }
  damaged_ = unusable || stuck_ ? 0 : damaged_ + 1;
  const bool hopeless = damaged_ >= kMostDamaged && !gave_up_store_;
  gave_up_store_ = gave_up_store_ || hopeless;
  if (std::exchange(stuck_, false)) {
    next_start_ = {.careful = false, .quiet = false, .fresh_lock = true, .hopeless = false};
  } else {
    next_start_ = {.careful = !unusable || next_start_.careful,
                   .quiet = unusable,
                   .fresh_lock = false,
                   .hopeless = hopeless};
  }
  start_at_ = Clock::now() + std::min<Clock::duration>(
                                 kLatestRestart, kFirstRestart * (1 << std::min(failures_, 6)));
  ++failures_;
  {
    const std::lock_guard lock(mutex_);
    if (!outcome_) {
      outcome_.emplace(unusable ? std::optional(code) : std::nullopt);
      ended_ = unusable;
    }
  }
  first_start_.notify_all();
  set_status("the store is not available, mail goes on untracked");
}

void StoreClient::watch_for_life() {
  const Clock::time_point now = Clock::now();
  const std::uint64_t beats = counters_.writer_beats;
  bool connected = false;
  bool serving = false;
  {
    const std::lock_guard lock(mutex_);
    connected = static_cast<bool>(connection_);
    serving = serving_;
  }
  if (std::exchange(beats_, beats) != beats || !connected) {
    alive_at_ = now;
  }
  const Clock::duration patience =
      !serving && next_start_.careful ? Clock::duration(kCarefulStart) : Clock::duration(kStuck);
  if (now - alive_at_ > patience) {
    log::error("", {{"store", "stuck"}, {"action", "its process is started anew"}});
    alive_at_ = now;
    stuck_ = true;
    keeper_.kill();
  }
}

void StoreClient::set_status(std::string text) {
  const std::lock_guard lock(mutex_);
  if (text != status_) {
    status_ = std::move(text);
    status_changed_ = true;
  }
}

}  // namespace mtrk
