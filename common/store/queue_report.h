#pragma once

#include "common/base/mta.h"
#include "common/base/time.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::store {

// The MTA's own list of its queue, for TrackingWriter::reconcile().
struct QueueReport {
  struct Message {
    std::string queue_id;
    std::optional<TimePoint> arrival;  // tells a reused queue id
  };
  Mta mta = Mta::postfix;
  std::vector<Message> messages;
  Seconds least_age{120};  // a younger one may not be on the list yet, or its end not in the log
  TimePoint taken_at;      // when the MTA was asked, by the wall clock
  bool whole = false;      // nothing of the list is missing
  // The log was read to its end at or after taken_at, and has no gap since the report before.
  bool log_was_read = false;
};

struct Reconciled {
  std::size_t listed = 0;    // messages with tracking among those listed
  std::size_t vanished = 0;  // ended as opaque
};

}  // namespace mtrk::store
