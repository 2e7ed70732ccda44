#pragma once

#include "common/net/asio.h"
#include "common/smtp/gate_onward.h"
#include "common/store/queued_tracking.h"
#include "milter/gate_tracking.h"

#include <memory>
#include <string>
#include <vector>

namespace mtrk::gate {

// The outbound gate's look into the store. A store that cannot be read costs a message its MTRK and
// nothing else: it is tried again, at most every few seconds, and said in the log once.
class GateStore {
 public:
  explicit GateStore(std::string path) : path_(std::move(path)) {}

  // How MAIL goes on. Waits for the log follower where the verdict hangs on it, kMostWaiting at
  // most.
  [[nodiscard]] net::Awaitable<smtp::GateOnwardSession::Answer> look_up(
      smtp::GateOnwardSession::Transaction transaction, PassOnPolicy policy);

 private:
  [[nodiscard]] std::vector<store::QueuedTracking> find(
      const smtp::GateOnwardSession::Transaction& transaction);

  std::string path_;
  std::unique_ptr<store::QueuedTrackingReader> reader_;
  net::Clock::time_point next_try_{};
  bool complained_ = false;
};

}  // namespace mtrk::gate
