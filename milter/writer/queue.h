#pragma once

#include "common/store/capture.h"
#include "common/store/queue_report.h"
#include "common/store/tracking_writer.h"
#include "milter/log/lines.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The StoreQueue is the only way into the store inside mtrk-milter. Milter callbacks and the log
// follower push operations; the StoreWriter thread takes everything that is there, makes one
// transaction of it, commits, and completes the tickets (group commit).
//
// The queue has two lanes, each first in, first out, and captures go first. Messages wait at end of
// message for the commit of their captures. Reports, which come from the log and from the list of
// the queue, are not urgent: the longer they wait, the more of them concern the same messages and
// are combined into one write for each. A capture that was pushed before a callback returns is in
// the queue before the MTA can log anything about that message, so no delivery line is applied
// before the capture of its message.
namespace mtrk {

struct PutCapture {
  store::Capture capture;
};
// Says that the provisional capture of this message, which was put before, is final as it is.
struct ConfirmCapture {
  std::string queue_id;
  std::uint64_t ticket;
};
struct DropCapture {
  std::string queue_id;
  std::uint64_t ticket;
};
using StoreOperation =
    std::variant<PutCapture, ConfirmCapture, DropCapture, LogLines, store::QueueReport>;

enum class CommitResult { committed, failed };

// The writer thread completes a ticket once; the callback waits for it with a deadline. Both sides
// hold it by shared_ptr, so that the callback may give up while the commit is still under way.
class CommitTicket {
 public:
  CommitTicket() = default;
  virtual ~CommitTicket() = default;
  CommitTicket(const CommitTicket&) = delete;
  CommitTicket& operator=(const CommitTicket&) = delete;
  // Returns nothing if `deadline` passes first.
  [[nodiscard]] std::optional<CommitResult> wait_until(
      std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] std::optional<CommitResult> result() const;  // does not wait
  void complete(CommitResult result);

  std::uint64_t sequence = 0;  // StoreClient sets it before any other thread knows the ticket

 private:
  virtual void completed(CommitResult /*result*/) {}  // called on the thread that called complete()
  friend class StoreQueue;
  // The queue's mutex protects place_ and capture_.
  enum class Place { elsewhere, queued, hurried };
  Place place_ = Place::elsewhere;
  store::Capture* capture_ = nullptr;  // the one that is queued with this ticket

  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::optional<CommitResult> result_;
};

// Thread-safe: any number of producers, one consumer.
class StoreQueue {
 public:
  static constexpr std::chrono::milliseconds kGather{3};
  static constexpr std::chrono::milliseconds kLinger{20};
  static constexpr std::chrono::milliseconds kLag{50};

  StoreQueue(std::size_t max_operations,
             std::size_t max_log_octets,
             std::chrono::milliseconds gather = kGather);
  ~StoreQueue();
  StoreQueue(const StoreQueue&) = delete;
  StoreQueue& operator=(const StoreQueue&) = delete;

  // Queues the operation and never waits. `ticket` may be null; it is completed when the operation
  // is committed, which is not urgent before hurry(). Returns false if the queue is full or closed:
  // the caller counts the capture as shed and mail goes on; the ticket is not touched.
  bool push(StoreOperation operation, std::shared_ptr<CommitTicket> ticket);
  // Makes the provisional capture that was pushed with `ticket` final as it is. If it is still
  // queued it is changed there, so that both are one write; otherwise a ConfirmCapture is pushed.
  // Returns false as push() does.
  bool confirm(ConfirmCapture confirmation, CommitTicket& ticket);
  // Does only the first half of confirm(). Returns false if the capture is not queued any more.
  bool make_final(CommitTicket& ticket);
  // Says that a callback waits for this ticket from now on. `company` is how many messages are
  // under way in the milter, this one included, which may soon need a commit too.
  void hurry(CommitTicket& ticket, std::size_t company);
  // This is the follower's way in. It waits while `max_log_octets` are queued, so that catching up
  // cannot use up the memory. A chunk larger than this bound is admitted when no other is queued.
  // Returns false when the queue is closed.
  bool push_log(LogLines lines);

  struct Item {
    StoreOperation operation;
    std::shared_ptr<CommitTicket> ticket;  // may be null
  };
  // Waits until captures or reports are due, or until `deadline`. Returns at most `max_items`
  // items: first captures, then reports if they are due as well.
  //
  // Captures are due when every message under way waits for a commit (hurried tickets), when one
  // has waited for `gather`, or when the oldest is kLinger old. (It may then wait up to 2 kLag
  // longer, if the consumer wakes by itself within that time.) So captures at DATA ride along with
  // the commit of an end of message, and their messages find them durable when they get there. An
  // end of message that is alone is committed at once. On a busy host those of the same few
  // milliseconds share one commit, because a commit costs the host more than they do.
  //
  // Reports ride along once they are kLag old, and are due by themselves after twice that time.
  // Everything is due if much is queued or the queue is closed. What was pushed before close() is
  // handed out after it.
  std::vector<Item> take(std::size_t max_items, std::chrono::steady_clock::time_point deadline);

  // Ends pushing: waiting producers return false, and the consumer takes what is left.
  void close();
  [[nodiscard]] bool closed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk
