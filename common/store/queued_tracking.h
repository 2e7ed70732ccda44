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

// What passing MTRK on needs (RFC 3885 §3.3). It is in the store only while the message is queued.
struct QueuedTracking {
  EnvelopeId envelope_id;
  TrackingCertifier certifier;
  std::optional<Seconds> timeout;  // as asked for
  TimePoint arrival;
  maillog::DeliveryTrace trace;  // of all queue ids of the message, as far as the log was read
};

// Looks up what mtrk-gate asks of each message that goes out. Opens it
// MDB_RDONLY; no transaction is held between calls. Not thread-safe. Fails: StoreUnusable at open
// (codes: tracking_reader.h); StoreError from find() when the store broke since.
class QueuedTrackingReader {
 public:
  explicit QueuedTrackingReader(const std::string& path);
  ~QueuedTrackingReader();

  // Of the newest message with that queue id; nothing if it is not tracked, or gone.
  [[nodiscard]] std::optional<QueuedTracking> find(std::string_view queue_id);

  // Where the mail system cannot tell the queue id: the queued transactions with this envelope id
  // and certifier, the newest first, kMostTransactions at most. A client may send a message in more
  // than one; the recipients tell them apart.
  static constexpr std::size_t kMostTransactions = 16;
  [[nodiscard]] std::vector<QueuedTracking> find(const EnvelopeId& envelope_id,
                                                 const TrackingCertifier& certifier);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
