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

// The one way into the store inside mtrk-milter. Milter callbacks and the log follower push; the
// StoreWriter thread takes everything that is there, makes one transaction of it, commits, and
// completes the tickets (group commit).
//
// Two lanes, each first in, first out: captures, for whose commit messages wait at end of message,
// and what the log and the queue say, which is in no hurry; the longer it waits, the more of it is
// about the same messages and one write for each. Captures go first. One that was pushed before a
// callback returns is in the queue before the MTA can log anything about that message, so no
// delivery line of a message is applied before its capture.
namespace mtrk {

struct PutCapture {
  store::Capture capture;
};
// The provisional capture of this message, put before, is final as it is.
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

// Completed once by the writer thread; the callback waits on it with a deadline. Both sides hold it
// by shared_ptr, so that a callback may give up while the commit is still under way.
class CommitTicket {
 public:
  CommitTicket() = default;
  virtual ~CommitTicket() = default;
  CommitTicket(const CommitTicket&) = delete;
  CommitTicket& operator=(const CommitTicket&) = delete;
  // Nothing if `deadline` passed first.
  [[nodiscard]] std::optional<CommitResult> wait_until(
      std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] std::optional<CommitResult> result() const;  // does not wait
  void complete(CommitResult result);

  std::uint64_t sequence = 0;  // StoreClient's, which sets it before anybody else knows the ticket

 private:
  virtual void completed(CommitResult /*result*/) {}  // by the thread that called complete()
  friend class StoreQueue;
  enum class Place { elsewhere, queued, hurried };  // under the queue's mutex, as the next one
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

  // Never waits. False if the queue is full or closed: the capture is shed and counted by the
  // caller, mail goes on; the ticket (may be null) is not touched then. It is completed when the
  // operation is committed, which is in no hurry until somebody says so.
  bool push(StoreOperation operation, std::shared_ptr<CommitTicket> ticket);
  // The provisional capture that was pushed with `ticket` is final as it is: made so where it
  // waits, so that both are one write, or by a ConfirmCapture. False as of push().
  bool confirm(ConfirmCapture confirmation, CommitTicket& ticket);
  // The first half of that: false if it does not wait any more.
  bool make_final(CommitTicket& ticket);
  // Somebody waits for this ticket from now on. `company`: how many messages are under way in the
  // milter, that one included, and may soon want a commit too.
  void hurry(CommitTicket& ticket, std::size_t company);
  // The follower's: waits while `max_log_octets` are queued, so that catching up cannot eat memory;
  // false when closed. A chunk larger than the bound is let in when nothing else is queued.
  bool push_log(LogLines lines);

  struct Item {
    StoreOperation operation;
    std::shared_ptr<CommitTicket> ticket;  // may be null
  };
  // Waits until captures or reports are due, or `deadline`; takes at most `max_items`, captures
  // first, and reports only if these are all.
  //
  // Captures are due when everybody under way waits for a commit (hurried tickets), somebody has
  // for `gather`, or the oldest is kLinger old (which may wait for a consumer that wakes within
  // 2 kLag anyway). So those at DATA ride along with the commit of an end of message, and the
  // messages which are not that far find theirs durable when they get there. An end of message that
  // is alone is committed at once; on a busy host those of the same few milliseconds share one
  // commit, as a commit costs the host more than they do.
  //
  // Reports ride along from kLag on, and are due by themselves after twice that. Everything is due
  // if a good deal is queued, or the queue is closed: what was pushed before close() is still
  // handed out after it.
  std::vector<Item> take(std::size_t max_items, std::chrono::steady_clock::time_point deadline);

  // No more pushes; waiting producers return false, the consumer drains.
  void close();
  [[nodiscard]] bool closed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk
