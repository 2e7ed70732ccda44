#pragma once

#include "common/store/capture.h"
#include "milter/writer/queue.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mtrk {

// A CaptureSink is where the milter callbacks put what they captured. It is an interface so that
// the glue can be tested without a store. It is called from any thread and must not block. It may
// throw; the callback counts the exception.
class CaptureSink {
 public:
  virtual ~CaptureSink() = default;
  // Returns false if the capture was not taken (the queue is full, or the milter is stopping): the
  // capture is lost, and the ticket is never completed.
  virtual bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) = 0;
  // See StoreQueue::confirm(); `ticket` is the one that the capture was put with.
  virtual bool confirm(ConfirmCapture confirmation, CommitTicket& ticket) = 0;
  virtual bool drop(std::string queue_id, std::uint64_t ticket) = 0;
  // See StoreQueue::hurry().
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
