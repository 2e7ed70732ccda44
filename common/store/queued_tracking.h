#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mtrk::store {

// QueuedTracking is what passing MTRK on requires (RFC 3885 §3.3). The store has it only while the
// message is queued.
struct QueuedTracking {
  EnvelopeId envelope_id;
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;  // as requested
  TimePoint arrival;
  maillog::DeliveryTrace trace;  // covers all queue ids of the message, as far as the log was read
};

// A QueuedTrackingReader looks up what mtrk-gate asks of each outgoing message. It opens the store
// MDB_RDONLY and holds no transaction between calls. Not thread-safe. The constructor throws
// StoreUnusable (for its codes see tracking_reader.h); find() throws StoreError if the store has
// broken since.
class QueuedTrackingReader {
 public:
  explicit QueuedTrackingReader(const std::string& path);
  ~QueuedTrackingReader();

  // Finds the newest message with that queue id. Returns nothing if it is not tracked or has left
  // the queue.
  [[nodiscard]] std::optional<QueuedTracking> find(std::string_view queue_id);

  // Finds the queued transactions with this envelope id and certifier, newest first, at most
  // kMostTransactions. This is for mail systems that cannot say the queue id. A client may send one
  // message in several transactions, which differ by their recipients.
  static constexpr std::size_t kMostTransactions = 16;
  [[nodiscard]] std::vector<QueuedTracking> find(const EnvelopeId& envelope_id,
                                                 const TrackingCertifier& certifier);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
