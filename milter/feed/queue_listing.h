#pragma once

#include "common/base/mta.h"
#include "common/store/queue_report.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

// Reads what the MTA prints of its queue, as a stream: `postqueue -j` (one JSON object a message)
// or Sendmail's `mailq` (text). Senders, recipients and reasons in it are anybody's; only queue ids
// and, of Postfix, arrival times are taken. Pure: no I/O, no clock. Not thread-safe.
namespace mtrk {

class QueueListing {
 public:
  virtual ~QueueListing() = default;

  // Takes the next octets, cut anywhere. Linear; memory does not grow but by the messages found.
  virtual void feed(std::string_view octets) = 0;
  // At the end: whether the list is whole, as far as it can tell. Queue ids of a list that is not
  // are good all the same.
  [[nodiscard]] virtual bool finish() = 0;

  [[nodiscard]] std::vector<store::QueueReport::Message>& messages() { return messages_; }

 protected:
  std::vector<store::QueueReport::Message> messages_;
};

[[nodiscard]] std::unique_ptr<QueueListing> make_queue_listing(Mta mta);

}  // namespace mtrk
