#pragma once

#include "common/base/time.h"
#include "common/maillog/delivery_event.h"
#include "common/maillog/delivery_trace.h"
#include "common/store/capture.h"
#include "common/store/queue_report.h"
#include "common/store/store_stats.h"
#include "common/track/message_key.h"
#include "common/track/tracked_message.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mtrk::store {

struct WriterOptions {
  std::string path;
  std::uint64_t max_size = std::uint64_t{16} << 30;  // octets of address space for the map
  Seconds default_retention{9 * 24 * 3600};          // MTRK-3.1-15
  Seconds maximum_retention{30 * 24 * 3600};         // never under a day (MTRK-3.1-13)
  maillog::TracePolicy trace;
  std::string host{};       // this machine's name: see TraceRouter; may be empty
  bool grow_ahead = false;  // for small commits that somebody waits for (Env::grow_ahead)
};

enum class Create { if_missing, never };

// The state of a log source: where reading continues. Committed with the events it stands for.
struct LogCursor {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;  // octets consumed; always after a line feed
  std::uint32_t head_octets =
      0;  // how many octets of the file's head the fingerprint covers (≤ 256)
  std::uint32_t head_crc = 0;
  std::string journal;  // a journal cursor, for that source
};

// What a put did. A capture that was not stored is shed: the mail itself goes on.
enum class Kept {
  stored,
  merged_limit,  // kMaxTransactions of this message are there already
  store_full,    // only the reserve is left, which expiry and log events need
};

// The write side. Not thread-safe: one thread owns it (StoreWriter in the daemon, main in mtrkctl).
// A batch is one LMDB transaction: begin(), any number of operations, commit(). What a batch did is
// durable, and visible to readers, when commit() returns; abort() (or an exception) undoes it.
// Fails: StoreUnusable at open (damaged: 65, cannot create: 73, no permission: 77, newer format:
// 78, network file system: 78); StoreError from the operations: MDB_MAP_FULL and ENOSPC leave the
// store usable after abort(), other codes ask for reopening; StoreGone from begin() and commit() if
// the files were replaced, and then nothing of the batch is in the store. When commit() fails the
// batch is aborted already. abort() also forgets the events that were held for later links, as a
// restart does: warm_up() with the lines before the cursor, then go on from the cursor.
class TrackingWriter {
 public:
  TrackingWriter(WriterOptions options, Create create);
  ~TrackingWriter();

  void begin();
  void commit();
  void abort() noexcept;
  [[nodiscard]] bool in_batch() const;
  [[nodiscard]] bool dirty() const;  // the batch changed more than cursors

  Kept put_capture(const Capture& capture);
  // The provisional capture is final as it is. Nothing happens if it is not there (any more).
  void confirm_capture(std::string_view queue_id, std::uint64_t ticket);
  void drop_capture(std::string_view queue_id,
                    std::uint64_t ticket);  // aborted before end of message

  // A whole message with known outcomes (`mtrkctl import`). With a queue id and a delayed recipient
  // it counts as queued here and is followed. The same transaction again (arrival, reporting MTA,
  // queue id, recipients) replaces the first. `expires_at` is the caller's: see expiry_of().
  Kept put_message(const EnvelopeId& envelope_id,
                   const TrackingCertifier& certifier,
                   const TrackedMessage& message);

  // Routes one delivery event to its trace, if there is one; true if it changed something.
  bool apply(const maillog::DeliveryEvent& event);
  void warm_up(const maillog::DeliveryEvent& event);

  void put_cursor(std::string_view source, const LogCursor& cursor);
  [[nodiscard]] std::optional<LogCursor> cursor(std::string_view source);

  // Takes in what the MTA's list of its queue says. Within a batch.
  Reconciled reconcile(const QueueReport& report);

  // Looks at no more than `limit` rows: expired messages that are not queued, traces that ended
  // 120 s before (by `now` of an earlier sweep), captures that the log has not confirmed within an
  // hour although it went on. Returns how many messages and traces it removed. Within a batch.
  std::size_t sweep(TimePoint now, std::size_t limit);
  void check_readers();  // frees slots of readers that died

  [[nodiscard]] TimePoint expiry_of(TimePoint arrival, std::optional<Seconds> requested) const;
  [[nodiscard]] StoreStats stats();  // not within a batch
  [[nodiscard]] const StoreSalt& salt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
