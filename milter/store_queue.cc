#include "milter/store_queue.h"

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
}

struct StoreQueue::Impl {
  using Clock = std::chrono::steady_clock;
  struct Queued {
    Item item;
    Clock::time_point since;
  };

  void add(Item item) {
    if (item.ticket) {
      item.ticket->place_ = CommitTicket::Place::queued;
    }
    items.push_back({std::move(item), Clock::now()});
  }
  Item remove() {
    Item item = std::move(items.front().item);
    items.pop_front();
    if (item.ticket) {
      urgent -= item.ticket->place_ == CommitTicket::Place::hurried ? 1U : 0U;
      item.ticket->place_ = CommitTicket::Place::elsewhere;
    }
    if (const LogLines* log = std::get_if<LogLines>(&item.operation)) {
      log_octets -= log->lines.size();
    } else {
      --operations;
    }
    return item;
  }
  [[nodiscard]] bool pressing() const {
    return closed || (urgent > 0 && urgent >= company) || operations > max_operations / 4 ||
           log_octets > max_log_octets / 4;
  }
  // For the consumer: the first of many, or a reason not to linger.
  [[nodiscard]] bool worth_waking() const { return items.size() == 1 || pressing(); }
  // Until when there is no reason to take anything.
  [[nodiscard]] Clock::time_point patience(Clock::time_point deadline) const {
    if (urgent > 0) {
      deadline = std::min(deadline, urgent_since + gather);
    }
    return items.empty() ? deadline : std::min(deadline, items.front().since + kLinger);
  }

  mutable std::mutex mutex;
  std::condition_variable filled;   // for the consumer
  std::condition_variable drained;  // for push_log
  std::deque<Queued> items;
  std::chrono::milliseconds gather;
  std::size_t max_operations;
  std::size_t max_log_octets;
  std::size_t operations = 0;  // without LogLines: the follower cannot crowd out captures
  std::size_t log_octets = 0;
  std::size_t urgent = 0;          // items whose ticket somebody waits for
  Clock::time_point urgent_since;  // when there were none last
  std::size_t company = 0;         // as said last
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
    wake = impl_->worth_waking();
  }
  if (wake) {
    impl_->filled.notify_one();
  }
  return true;
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
    wake = impl_->urgent == 1 || impl_->pressing();
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
    wake = impl_->worth_waking();
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
    for (;;) {
      const auto until = impl_->patience(deadline);
      if (impl_->pressing() || Impl::Clock::now() >= until) {
        break;
      }
      impl_->filled.wait_until(lock, until);
    }
    const std::size_t count = std::min(max_items, impl_->items.size());
    taken.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      taken.push_back(impl_->remove());
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
