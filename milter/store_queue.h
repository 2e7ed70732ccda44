#pragma once

#include "common/store/capture.h"
#include "common/store/tracking_writer.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The one way into the store inside mtrk-milter. Milter callbacks and the log follower push; the
// StoreWriter thread takes everything that is there, makes one transaction of it, commits, and
// completes the tickets (group commit, reliability §3). First in, first out: a capture pushed
// before a callback returns is in the queue before the MTA can log anything about that message, so
// no delivery line of a message can be applied before its capture.
namespace mtrk {

struct PutCapture {
  store::Capture capture;
};
struct DropCapture {
  std::string queue_id;
  std::uint64_t ticket;
};
// Complete log lines as read, with the position after them. The writer thread parses them in place.
struct LogLines {
  std::string source;       // name of the cursor
  std::string lines;        // each with its LF
  store::LogCursor cursor;  // after the last line
  TimePoint reference;      // for stamps without a year
  bool warm_up = false;     // applied before; only to be remembered
};
using StoreOperation = std::variant<PutCapture, DropCapture, LogLines>;

enum class CommitResult { committed, failed };

// Completed once by the writer thread; the callback waits on it with a deadline.
class CommitTicket {
 public:
  // Nothing if `deadline` passed first.
  [[nodiscard]] std::optional<CommitResult> wait_until(
      std::chrono::steady_clock::time_point deadline);
  void complete(CommitResult result);

 private:
  std::atomic<int> state_{0};  // implementation: mutex and condition variable, or futex wait
};

class StoreQueue {
 public:
  StoreQueue(std::size_t max_operations, std::size_t max_log_octets);
  ~StoreQueue();

  // False if the queue is full or closed: the capture is shed and counted, mail goes on.
  bool push(StoreOperation operation, std::shared_ptr<CommitTicket> ticket);
  // The follower's: waits while `max_log_octets` are queued, so that catching up cannot eat memory;
  // false when closed.
  bool push_log(LogLines lines);

  struct Item {
    StoreOperation operation;
    std::shared_ptr<CommitTicket> ticket;  // may be null
  };
  // Waits until there is something, the queue is closed, or `deadline`. Takes at most `max_items`.
  std::vector<Item> take(std::size_t max_items, std::chrono::steady_clock::time_point deadline);

  void close();
  [[nodiscard]] bool closed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk
