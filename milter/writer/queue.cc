#include "milter/writer/queue.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace mtrk {

std::optional<CommitResult> CommitTicket::wait_until(
    std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  done_.wait_until(lock, deadline, [this] { return result_.has_value(); });
  return result_;
}

std::optional<CommitResult> CommitTicket::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

void CommitTicket::complete(CommitResult result) {
  {
    const std::lock_guard lock(mutex_);
    if (result_) {
      return;
    }
    result_ = result;
  }
  done_.notify_all();
  completed(result);
}

struct StoreQueue::Impl {
  using Clock = std::chrono::steady_clock;
  struct Queued {
    Item item;
    Clock::time_point since;
  };

  using Lane = std::deque<Queued>;  // references to its elements stay valid until they are removed

  void add(Item item) {
    const bool reported = std::holds_alternative<LogLines>(item.operation) ||
                          std::holds_alternative<store::QueueReport>(item.operation);
    Lane& lane = reported ? reports : captures;
    lane.push_back({std::move(item), Clock::now()});
    Item& added = lane.back().item;
    if (added.ticket) {
      PutCapture* const put = std::get_if<PutCapture>(&added.operation);
      added.ticket->place_ = CommitTicket::Place::queued;
      added.ticket->capture_ = put != nullptr ? &put->capture : nullptr;
    }
  }
  Item remove(Lane& lane) {
    Item item = std::move(lane.front().item);
    lane.pop_front();
    if (item.ticket) {
      urgent -= item.ticket->place_ == CommitTicket::Place::hurried ? 1U : 0U;
      item.ticket->place_ = CommitTicket::Place::elsewhere;
      item.ticket->capture_ = nullptr;
    }
    if (const LogLines* log = std::get_if<LogLines>(&item.operation)) {
      log_octets -= log->lines.size();
    } else {
      --operations;
    }
    return item;
  }
  [[nodiscard]] bool crowded() const {
    return closed || operations > max_operations / 4 || log_octets > max_log_octets / 4;
  }
  [[nodiscard]] bool pressing() const { return crowded() || (urgent > 0 && urgent >= company); }
  // Returns true if the consumer has to be woken. Waking costs more than a capture does, so the
  // consumer may come `late` if it wakes by itself then.
  [[nodiscard]] bool worth_waking(Clock::duration late) const {
    return pressing() || patience(asleep_until) < asleep_until - late;
  }
  // Returns the time before which there is no reason to take anything.
  [[nodiscard]] Clock::time_point patience(Clock::time_point deadline) const {
    if (urgent > 0) {
      deadline = std::min(deadline, urgent_since + gather);
    }
    if (!captures.empty()) {
      deadline = std::min(deadline, captures.front().since + kLinger);
    }
    if (!reports.empty()) {
      deadline = std::min(deadline, reports.front().since + 2 * kLag);
    }
    return deadline;
  }
  void move_some(Lane& lane, std::size_t max_items, std::vector<Item>& taken) {
    for (std::size_t i = std::min(max_items - taken.size(), lane.size()); i > 0; --i) {
      taken.push_back(remove(lane));
    }
  }

  mutable std::mutex mutex;
  std::condition_variable filled;   // for the consumer
  std::condition_variable drained;  // for push_log
  Lane captures;                    // and what becomes of them
  Lane reports;                     // log lines and queue listings
  std::chrono::milliseconds gather;
  std::size_t max_operations;
  std::size_t max_log_octets;
  std::size_t operations = 0;  // without LogLines, so that the follower cannot crowd out captures
  std::size_t log_octets = 0;
  std::size_t urgent = 0;          // those whose tickets are hurried
  Clock::time_point urgent_since;  // when `urgent` last rose from zero
  Clock::time_point asleep_until;  // until when the consumer sleeps; in the past while it works
  std::size_t company = 0;         // as last given to hurry()
  bool closed = false;
};

StoreQueue::StoreQueue(std::size_t max_operations,
                       std::size_t max_log_octets,
                       std::chrono::milliseconds gather)
    : impl_(std::make_unique<Impl>()) {
  impl_->gather = gather;
  impl_->max_operations = max_operations;
  impl_->max_log_octets = max_log_octets;
}

StoreQueue::~StoreQueue() = default;

bool StoreQueue::push(StoreOperation operation, std::shared_ptr<CommitTicket> ticket) {
  bool wake = false;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->closed || impl_->operations >= impl_->max_operations) {
      return false;
    }
    impl_->add({std::move(operation), std::move(ticket)});
    ++impl_->operations;
    wake = impl_->worth_waking(2 * kLag);
  }
  if (wake) {
    impl_->filled.notify_one();
  }
  return true;
}

bool StoreQueue::make_final(CommitTicket& ticket) {
  const std::lock_guard lock(impl_->mutex);
  if (ticket.capture_ == nullptr) {
    return false;
  }
  ticket.capture_->stage = store::Stage::final;
  return true;
}

bool StoreQueue::confirm(ConfirmCapture confirmation, CommitTicket& ticket) {
  return make_final(ticket) || push(std::move(confirmation), nullptr);
}

void StoreQueue::hurry(CommitTicket& ticket, std::size_t company) {
  bool wake = false;
  {
    const std::lock_guard lock(impl_->mutex);
    if (ticket.place_ != CommitTicket::Place::queued) {
      return;  // its commit is under way or done
    }
    ticket.place_ = CommitTicket::Place::hurried;
    if (impl_->urgent++ == 0) {
      impl_->urgent_since = Impl::Clock::now();
    }
    impl_->company = company;
    wake = impl_->worth_waking(std::chrono::milliseconds(0));
  }
  if (wake) {
    impl_->filled.notify_one();
  }
}

bool StoreQueue::push_log(LogLines lines) {
  bool wake = false;
  {
    std::unique_lock lock(impl_->mutex);
    const std::size_t octets = lines.lines.size();
    impl_->drained.wait(lock, [&] {
      return impl_->closed || impl_->log_octets == 0 ||
             impl_->log_octets + octets <= impl_->max_log_octets;
    });
    if (impl_->closed) {
      return false;
    }
    impl_->log_octets += octets;
    impl_->add({std::move(lines), nullptr});
    wake = impl_->worth_waking(2 * kLag);
  }
  if (wake) {
    impl_->filled.notify_one();
  }
  return true;
}

std::vector<StoreQueue::Item> StoreQueue::take(std::size_t max_items,
                                               std::chrono::steady_clock::time_point deadline) {
  std::vector<Item> taken;
  {
    std::unique_lock lock(impl_->mutex);
    Impl::Clock::time_point now;
    for (;;) {
      const auto until = impl_->patience(deadline);
      now = Impl::Clock::now();
      if (impl_->pressing() || now >= until) {
        break;
      }
      impl_->asleep_until = until;
      impl_->filled.wait_until(lock, until);
      impl_->asleep_until = {};
    }
    impl_->move_some(impl_->captures, max_items, taken);
    const Impl::Lane& reports = impl_->reports;
    if (impl_->crowded() || (!reports.empty() && now >= reports.front().since + kLag)) {
      impl_->move_some(impl_->reports, max_items, taken);
    }
  }
  impl_->drained.notify_all();
  return taken;
}

void StoreQueue::close() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->closed = true;
  }
  impl_->filled.notify_all();
  impl_->drained.notify_all();
}

bool StoreQueue::closed() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->closed;
}

}  // namespace mtrk
