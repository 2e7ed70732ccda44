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

// The read side: opens the environment MDB_RDONLY (and MDB_NOTLS), adopts the writer's map size,
// re-adopts it when it grew. Thread-safe: any number of threads may have a snapshot at once, each
// its own.
// Survives whatever becomes of the files (map_guard.h). Takes no lock and writes nothing anywhere:
// what was read counts if it has been confirmed afterwards (lmdb.h).
// Fails: StoreUnusable at open (damaged: 65, missing: 66, not readable: 77, newer format: 78,
// network file system: 78); StoreError from snapshot(), find() and confirm() when the store broke
// since; corrupt rows too. StoreOvertaken, if it is only that the writer has used pages of the
// snapshot again: a new one will do.
class TrackingReader {
 public:
  explicit TrackingReader(const std::string& path);
  ~TrackingReader();

  // The store as it is now. The longer it is held the more likely it is overtaken: not across I/O.
  class Snapshot {
   public:
    ~Snapshot();
    Snapshot(Snapshot&&) noexcept;
    Snapshot& operator=(Snapshot&&) = delete;

    // All transactions of the message that are visible (final or confirmed) and not expired; none
    // is the one miss there is: unknown id, wrong secret, expired. An id in angle brackets that is
    // not there is tried once more without them; if that hit, it is in `without_brackets`.
    // What is found lies in the store's own pages, and in memory that the next find() uses again;
    // that nothing is found has to be confirmed, too.
    struct Views {
      std::span<MessageView> messages;
      std::optional<EnvelopeId> without_brackets;
      std::uint32_t key_tag = 0;  // MessageKey::tag() of what was looked for
    };
    [[nodiscard]] Views find(const EnvelopeId& envelope_id,
                             const TrackingCertifier& certifier,
                             TimePoint now);
    // To be called when something has been made of the views, before that is used. Fails if pages
    // changed under them, or could not be had.
    void confirm() const;

   private:
    friend class TrackingReader;
    class Lease;
    explicit Snapshot(std::unique_ptr<Lease> lease);
    std::unique_ptr<Lease> lease_;
    bool missed_ = false;  // by the last find()
  };
  [[nodiscard]] Snapshot snapshot() const;

  // What a fresh snapshot finds, copied out of it.
  struct Found {
    std::vector<TrackedMessage> messages;
    std::optional<EnvelopeId> without_brackets;
    std::uint32_t key_tag = 0;
  };
  [[nodiscard]] Found find(const EnvelopeId& envelope_id,
                           const TrackingCertifier& certifier,
                           TimePoint now) const;

  [[nodiscard]] StoreStats stats() const;

  // Whether the path still leads to the files that are open.
  [[nodiscard]] bool current() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
