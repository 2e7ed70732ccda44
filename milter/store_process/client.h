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

// The mail side's end of the connection to the store process: captures go there, and what became of
// them comes back. When that process ends, a new one is started, and what it had not committed is
// said again, before it reads the log: as far as the mail side knows it, nothing is lost, and
// nothing counts as committed that is not.
//
// The store process looks at the connection before it reads the log, when somebody waits for a
// commit, and every now and then. So a capture that nobody waits for wakes no one.
//
// As a CaptureSink: thread-safe, never waits.
class StoreClient final : public CaptureSink {
 public:
  // `wake` is the event on which the store process waits (eventfd(2)); kept open by the caller. The
  // others outlive this object, too.
  StoreClient(StoreKeeper& keeper,
              int wake,
              CircuitBreaker& breaker,
              Counters& counters,
              std::size_t max_operations);
  ~StoreClient() override;  // after stop()
  StoreClient(const StoreClient&) = delete;
  StoreClient& operator=(const StoreClient&) = delete;

  // Starts the store process and waits until it serves. The exit code to end with if it cannot for
  // a reason that it has logged; nothing if it serves, or if it died and another one is started.
  [[nodiscard]] std::optional<int> start();
  void reload();
  // Once no callback can come any more: everything is committed, and the process ended.
  void stop();

  [[nodiscard]] std::string log_name() const;  // what the store process follows, as it said last
  [[nodiscard]] std::string status() const;
  // What there is to say to the service manager, if that changed since the last call.
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
    int attempts = 0;                      // store processes that ended with it
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
  void send_more();  // with the mutex held
  void wake();

  StoreKeeper& keeper_;
  int wake_;
  UniqueFd self_wake_;
  CircuitBreaker& breaker_;
  Counters& counters_;
  std::size_t max_operations_;

  mutable std::mutex mutex_;
  std::condition_variable first_start_;
  std::optional<std::optional<int>> outcome_;  // of start()
  UniqueFd connection_;
  bool serving_ = false;  // the process is ready, and knows all of pending_
  std::string unsent_;
  std::map<Sequence, Pending> pending_;
  Sequence next_ = 1;
  std::string log_name_;
  std::string status_;
  bool status_changed_ = false;
  bool reloaded_ = false;
  bool stopping_ = false;

  // The thread's own.
  store_wire::Frames frames_;
  int failures_ = 0;            // processes in a row that ended without a commit
  int damaged_ = 0;             // of these, the last ones that died, or found the store damaged
  bool gave_up_store_ = false;  // and nothing was written since: another one is not given up
  StoreKeeper::Start next_start_;
  std::optional<Clock::time_point> start_at_;
  std::uint64_t beats_ = 0;
  Clock::time_point alive_at_;
  bool stuck_ = false;  // and killed for that
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace mtrk
