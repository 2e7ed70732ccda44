#pragma once

#include "common/base/mta.h"
#include "common/store/queue_report.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

// Reads the MTA's list of its queue as a stream: `postqueue -j` (one JSON object for a message) or
// Sendmail's `mailq` (text). Strangers choose the senders, recipients and reasons in it, so only
// queue ids are taken and, for Postfix, arrival times. Pure: no I/O, no clock. Not thread-safe.
namespace mtrk {

class QueueListing {
 public:
  virtual ~QueueListing() = default;

  // Takes the next octets, which may be cut anywhere. Linear; memory grows only by the messages
  // found.
  virtual void feed(std::string_view octets) = 0;
  // To be called at the end. Returns true if the list is whole, as far as that can be seen. The
  // queue ids of a list that is not whole are valid all the same.
  [[nodiscard]] virtual bool finish() = 0;

  [[nodiscard]] std::vector<store::QueueReport::Message>& messages() { return messages_; }

 protected:
  std::vector<store::QueueReport::Message> messages_;
};

[[nodiscard]] std::unique_ptr<QueueListing> make_queue_listing(Mta mta);

}  // namespace mtrk
