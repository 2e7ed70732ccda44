#pragma once

#include "common/base/time.h"
#include "common/store/store_stats.h"
#include "common/track/certifier.h"
#include "common/track/envelope_id.h"
#include "common/track/message_view.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mtrk::store {

// A TrackingReader is the read side of the store. It opens the environment MDB_RDONLY (and
// MDB_NOTLS), adopts the writer's map size, and adopts it again when it has grown. Thread-safe: any
// number of threads may each hold a snapshot of their own.
//
// It survives whatever happens to the files (map_guard.h). It takes no lock and writes nothing
// anywhere: what was read counts only if it is confirmed afterwards (lmdb.h).
//
// The constructor throws StoreUnusable (damaged: 65, missing: 66, not readable: 77, newer format:
// 78, network file system: 78). snapshot(), find() and confirm() throw StoreError if the store has
// broken since, or if a row is corrupt. They throw StoreOvertaken if only the writer has reused
// pages of the snapshot: then a new one will do.
class TrackingReader {
 public:
  explicit TrackingReader(const std::string& path);
  ~TrackingReader();

  // A Snapshot is the store as it is now. The longer it is held, the more likely it is overtaken,
  // so do not hold it during I/O.
  class Snapshot {
   public:
    ~Snapshot();
    Snapshot(Snapshot&&) noexcept;
    Snapshot& operator=(Snapshot&&) = delete;

    // Finds all transactions of the message that are visible (final or confirmed) and not expired.
    // An empty result covers an unknown id, a wrong secret and an expired message alike. An id in
    // angle brackets that is not found is tried once more without them; if that succeeds,
    // `without_brackets` holds that form. The result lies in the store's own pages, and in memory
    // that the next find() uses again. An empty result must be confirmed, too.
    struct Views {
      std::span<MessageView> messages;
      std::optional<EnvelopeId> without_brackets;
      std::uint32_t key_tag = 0;  // MessageKey::tag() of what was sought
    };
    [[nodiscard]] Views find(const EnvelopeId& envelope_id,
                             const TrackingCertifier& certifier,
                             TimePoint now);
    // Confirms what was read. To be called after something was made of the views and before that is
    // used. Throws StoreOvertaken if pages changed under them, and StoreError if pages could not be
    // read.
    void confirm() const;

   private:
    friend class TrackingReader;
    class Lease;
    explicit Snapshot(std::unique_ptr<Lease> lease);
    std::unique_ptr<Lease> lease_;
    bool missed_ = false;  // the last find() found nothing
  };
  [[nodiscard]] Snapshot snapshot() const;

  // Found is a copy of what a fresh snapshot finds.
  struct Found {
    std::vector<TrackedMessage> messages;
    std::optional<EnvelopeId> without_brackets;
    std::uint32_t key_tag = 0;
  };
  [[nodiscard]] Found find(const EnvelopeId& envelope_id,
                           const TrackingCertifier& certifier,
                           TimePoint now) const;

  [[nodiscard]] StoreStats stats() const;

  // Returns whether the path still leads to the files that are open.
  [[nodiscard]] bool current() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
