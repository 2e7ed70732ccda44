#pragma once

#include "common/base/mta.h"
#include "common/base/time.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::store {

// A QueueReport is the MTA's own list of its queue, for TrackingWriter::reconcile().
struct QueueReport {
  struct Message {
    std::string queue_id;
    std::optional<TimePoint> arrival;  // distinguishes a reused queue id
  };
  Mta mta = Mta::postfix;
  std::vector<Message> messages;
  // Younger messages are ignored: they may not be on the list yet, or their end not in the log.
  Seconds least_age{120};
  TimePoint taken_at;  // when the MTA was asked, in wall-clock time
  bool whole = false;  // the list is complete
  // The log was read to its end at or after taken_at, and has no gap since the previous report.
  bool log_was_read = false;
};

struct Reconciled {
  std::size_t listed = 0;    // tracked messages among those listed
  std::size_t vanished = 0;  // ended as opaque
};

}  // namespace mtrk::store
