#pragma once

#include "common/store/capture.h"
#include "milter/writer/queue.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mtrk {

// Where the milter callbacks put what they captured. An interface so that the glue can be tested
// without a store. Called from any thread; must not block; may throw (the callback counts it).
class CaptureSink {
 public:
  virtual ~CaptureSink() = default;
  // False: not taken (full, stopping); the capture is lost and the ticket never completed.
  virtual bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) = 0;
  // See StoreQueue::confirm; `ticket` is the one that the capture was put with.
  virtual bool confirm(ConfirmCapture confirmation, CommitTicket& ticket) = 0;
  virtual bool drop(std::string queue_id, std::uint64_t ticket) = 0;
  // See StoreQueue::hurry.
  virtual void hurry(CommitTicket& ticket, std::size_t company) = 0;
};

class QueueSink final : public CaptureSink {
 public:
  explicit QueueSink(StoreQueue& queue) : queue_(queue) {}
  bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) override {
    return queue_.push(PutCapture{std::move(capture)}, std::move(ticket));
  }
  bool confirm(ConfirmCapture confirmation, CommitTicket& ticket) override {
    return queue_.confirm(std::move(confirmation), ticket);
  }
  bool drop(std::string queue_id, std::uint64_t ticket) override {
    return queue_.push(DropCapture{std::move(queue_id), ticket}, nullptr);
  }
  void hurry(CommitTicket& ticket, std::size_t company) override { queue_.hurry(ticket, company); }

 private:
  StoreQueue& queue_;
};

}  // namespace mtrk
