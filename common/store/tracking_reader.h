#pragma once

#include "common/base/time.h"
#include "common/store/store_stats.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/tracked_message.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mtrk::store {

// The read side: opens the environment MDB_RDONLY (and MDB_NOTLS), adopts the writer's map size,
// re-adopts it when it grew. find() copies everything out and ends its transaction before it
// returns, so no reader slot is ever held across I/O. Thread-safe: any number of threads may call
// find() at once.
// Fails: StoreUnusable at open (missing: 66, not readable: 77, newer format: 78, network file
// system: 78); StoreError from find() when the store broke since; Corrupt rows as StoreError too.
class TrackingReader {
 public:
  explicit TrackingReader(const std::string& path);
  ~TrackingReader();

  // All transactions of the message that are visible (final or confirmed) and not expired; empty is
  // the one miss there is: unknown id, wrong secret, expired. An id in angle brackets that is not
  // there is tried once more without them; if that hit, it is in `without_brackets`.
  struct Found {
    std::vector<TrackedMessage> messages;
    std::optional<EnvelopeId> without_brackets;
    std::uint32_t key_tag = 0;  // MessageKey::tag() of what was looked for
  };
  [[nodiscard]] Found find(const EnvelopeId& envelope_id,
                           const TrackingCertifier& certifier,
                           TimePoint now) const;
  [[nodiscard]] StoreStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
