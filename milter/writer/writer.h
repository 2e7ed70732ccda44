#pragma once

#include "common/config/config.h"
#include "common/store/tracking_writer.h"
#include "milter/base/circuit_breaker.h"
#include "milter/base/counters.h"
#include "milter/onward/store.h"
#include "milter/writer/clock_guard.h"
#include "milter/writer/log_applier.h"
#include "milter/writer/queue.h"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace mtrk {

// A StoreWriter is the one thread that writes the store. It takes what callbacks and follower have
// queued, applies it in one transaction, commits, and completes the tickets. Between batches it
// removes, in slices, what has expired, and frees the slots of dead readers.
//
// If a commit fails, the captures of the batch are shed, because their mail has long gone on. The
// log lines are tried again, with a growing pause, until they are committed. No line is lost and
// none is applied twice, because the log position is committed with them. After three failures in a
// row the store is closed and opened again. If the store was replaced while it was open, nothing is
// lost: the batch goes into the store that is there now.
//
// A batch that only moved the log position, which is all there is for untracked mail, is not worth
// an fsync. The position is written once a second, and at the end.
class StoreWriter {
 public:
  // Opens the store. Throws store::StoreUnusable or store::StoreError. `onward` may be null;
  // otherwise it is kept open while the store is.
  StoreWriter(const Config& config,
              StoreQueue& queue,
              CircuitBreaker& breaker,
              Counters& counters,
              OnwardStore* onward = nullptr);
  ~StoreWriter();  // closes the queue and joins
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // These are for use before start() only.
  [[nodiscard]] std::optional<store::LogCursor> cursor(std::string_view source);
  // It is durable when this returns.
  void put_cursor(std::string_view source, const store::LogCursor& cursor);

  // on_batch() sets what is called after each batch, on the writer's thread, once the tickets are
  // complete. on_damage() sets what is called, instead of trying again, when the store turns out to
  // be damaged. To be called before start().
  void on_batch(std::function<void(bool committed, std::chrono::nanoseconds took)> then) {
    on_batch_ = std::move(then);
  }
  void on_damage(std::function<void(std::string_view why)> then) { on_damage_ = std::move(then); }

  void start();
  // Takes over retention, queue_lifetime and filters of `config` between two batches. May be called
  // from any thread.
  void reconfigure(const Config& config);
  // Waits until the queue is closed and everything in it is committed, or the store refuses it.
  void join();

 private:
  using Clock = std::chrono::steady_clock;

  struct Position {
    std::string source;
    store::LogCursor cursor;
  };
  // A Batch is what the transaction under way adds if it commits.
  struct Batch {
    std::optional<Position> position;
    LogApplier::Tally tally;
  };

  void run() noexcept;
  void work();
  void open_store();
  void close_store();
  void take(Clock::time_point deadline);
  [[nodiscard]] Clock::time_point next_deadline() const;
  bool process_batch();
  void apply_batch();
  void complete_batch(Clock::duration took, bool wrote);
  void fail_batch(std::string_view why);
  void replaced();
  void housekeep();
  void publish_counters();
  void adopt_configuration();

  StoreQueue& queue_;
  CircuitBreaker& breaker_;
  Counters& counters_;
  OnwardStore* onward_;
  Config config_;
  LogApplier log_;
  std::unique_ptr<store::TrackingWriter> store_;  // null while it cannot be opened

  std::deque<StoreQueue::Item> pending_;  // taken, not yet committed; oldest first
  std::size_t batch_size_ = 0;            // how many of them the transaction under way holds
  Batch batch_;
  std::optional<Position> position_;  // the newest one that is committed in memory only
  Clock::time_point position_due_;
  int failures_ = 0;  // in a row
  Clock::time_point next_sweep_;
  Clock::time_point next_reader_check_;
  Clock::time_point next_counters_;
  ClockGuard clock_guard_;
  std::optional<ClockGuard::Wall> newest_line_;  // of the log, by the lines read in this run
  std::function<void(bool, std::chrono::nanoseconds)> on_batch_;
  std::function<void(std::string_view)> on_damage_;
  std::string published_;

  std::mutex configuration_mutex_;
  std::optional<Config> new_configuration_;
  std::thread thread_;
};

}  // namespace mtrk
