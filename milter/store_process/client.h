#pragma once

#include "common/base/unique_fd.h"
#include "milter/base/circuit_breaker.h"
#include "milter/base/counters.h"
#include "milter/capture/sink.h"
#include "milter/store_process/keeper.h"
#include "milter/store_process/wire.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace mtrk {

// A StoreClient is the mail side's end of the connection to the store process. It sends captures
// there and receives their results. When the store process ends, a new one is started, and every
// capture that the old one had not committed is sent to it again before it reads the log. So no
// capture that the mail side knows is lost, and none counts as committed that is not.
//
// The store process looks at the connection before it reads the log, when a callback waits for a
// commit, and now and then. So a capture that no callback waits for yet wakes no process.
//
// The CaptureSink functions are thread-safe and never wait.
class StoreClient final : public CaptureSink {
 public:
  // `wake` is the eventfd(2) on which the store process waits. The caller keeps it open and owns
  // the other arguments; all of them must outlive this object.
  StoreClient(StoreKeeper& keeper,
              int wake,
              CircuitBreaker& breaker,
              Counters& counters,
              std::size_t max_operations);
  ~StoreClient() override;  // call stop() first
  StoreClient(const StoreClient&) = delete;
  StoreClient& operator=(const StoreClient&) = delete;

  // Starts the store process and waits until it serves. Returns the exit code to end with if the
  // process cannot serve for a reason that it has logged. Returns nothing if it serves, or if it
  // died and another one is being started.
  [[nodiscard]] std::optional<int> start();
  void reload();
  // Commits everything and ends the store process. Call it when no callback can come any more.
  void stop();

  [[nodiscard]] std::string log_name() const;  // the log that it follows, as it said last
  [[nodiscard]] std::string status() const;
  // Returns the text for the service manager, or nothing if it has not changed since the last call.
  [[nodiscard]] std::optional<std::string> take_status();

  bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) override;
  bool confirm(ConfirmCapture confirmation, CommitTicket& ticket) override;
  bool drop(std::string queue_id, std::uint64_t ticket) override;
  void hurry(CommitTicket& ticket, std::size_t company) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Sequence = store_wire::Sequence;

  struct Pending {
    std::string frame;
    std::shared_ptr<CommitTicket> ticket;  // may be null
    int attempts = 0;                      // how many store processes ended with it
  };

  void run() noexcept;
  void look(int timeout_ms);
  void receive();
  void handle(store_wire::Message message);
  void begin_serving(std::string log);
  void store_ended();
  void start_again();
  void watch_for_life();
  void set_status(std::string text);
  enum class Send { now, later };
  bool add(Sequence sequence,
           std::string frame,
           std::shared_ptr<CommitTicket> ticket,
           Send send = Send::now);
  void send_more();  // the caller holds the mutex
  void wake();

  StoreKeeper& keeper_;
  int wake_;
  UniqueFd self_wake_;
  CircuitBreaker& breaker_;
  Counters& counters_;
  std::size_t max_operations_;

  mutable std::mutex mutex_;
  std::condition_variable first_start_;
  std::optional<std::optional<int>> outcome_;  // what start() waits for
  UniqueFd connection_;
  bool serving_ = false;  // the process is ready and has received all of pending_
  std::string unsent_;
  std::map<Sequence, Pending> pending_;
  Sequence next_ = 1;
  std::string log_name_;
  std::string status_;
  bool status_changed_ = false;
  bool reloaded_ = false;
  bool stopping_ = false;

  // Only the thread uses these.
  store_wire::Frames frames_;
  int failures_ = 0;            // how many processes in a row ended without a commit
  int damaged_ = 0;             // how many of the latest of these died or found the store damaged
  bool gave_up_store_ = false;  // nothing has been written since, so the next store is not given up
  StoreKeeper::Start next_start_;
  std::optional<Clock::time_point> start_at_;
  std::uint64_t beats_ = 0;
  Clock::time_point alive_at_;
  bool stuck_ = false;  // the process was killed because it hung
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace mtrk
