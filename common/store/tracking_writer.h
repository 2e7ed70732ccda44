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
  Seconds maximum_retention{30 * 24 * 3600};         // never less than a day (MTRK-3.1-13)
  maillog::TracePolicy trace;
  std::string host{};       // this machine's name (see TraceRouter); may be empty
  bool grow_ahead = false;  // for small commits that are waited for (Env::grow_ahead())
};

enum class Create { if_missing, never };

// A LogCursor is the position at which reading of a log source continues. It is committed together
// with the events before it.
struct LogCursor {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;       // octets consumed; always after a line feed
  std::uint32_t head_octets = 0;  // length of the fingerprinted head of the file, at most 256
  std::uint32_t head_crc = 0;
  std::string journal;  // the cursor of a journal, if that is the source
};

// A Kept says what a put did. A capture that was not stored is shed: the mail itself goes on.
enum class Kept {
  stored,
  merged_limit,  // the store already has kMaxTransactions of this message
  store_full,    // only the reserve for expiry and log events is left
};

// A TrackingWriter is the write side of the store. Not thread-safe: one thread owns it (StoreWriter
// in the daemon, main in mtrkctl).
//
// A batch is one LMDB transaction: begin(), any number of operations, commit(). When commit()
// returns, the changes of the batch are durable and visible to readers. abort() (or an exception)
// undoes them. abort() also forgets the events that were held for later links, as a restart does:
// call warm_up() with the lines before the cursor, then continue from the cursor.
//
// The constructor throws StoreUnusable (damaged: 65, cannot create: 73, no permission: 77, newer
// format: 78, network file system: 78). The operations throw StoreError: after MDB_MAP_FULL and
// ENOSPC the store is usable again once abort() was called; other codes require opening it again.
// begin() and commit() throw StoreGone if the files were replaced; then nothing of the batch is in
// the store. If commit() fails, the batch is already aborted.
class TrackingWriter {
 public:
  TrackingWriter(WriterOptions options, Create create);
  ~TrackingWriter();

  void begin();
  void commit();
  void abort() noexcept;
  [[nodiscard]] bool in_batch() const;
  [[nodiscard]] bool dirty() const;  // whether the batch changed more than cursors

  Kept put_capture(const Capture& capture);
  // Makes the provisional capture final as it is. Does nothing if it is not there (any more).
  void confirm_capture(std::string_view queue_id, std::uint64_t ticket);
  // Drops a capture whose message was aborted before its end.
  void drop_capture(std::string_view queue_id, std::uint64_t ticket);

  // Stores a whole message with known outcomes (`mtrkctl import`). If it has a queue id and a
  // delayed recipient, it counts as queued here and is followed. The same transaction again (by
  // arrival, reporting MTA, queue id and recipients) replaces the first. The caller sets
  // `expires_at`: see expiry_of().
  Kept put_message(const EnvelopeId& envelope_id,
                   const TrackingCertifier& certifier,
                   const TrackedMessage& message);

  // Routes one delivery event to its trace, if there is one. Returns whether it changed anything.
  bool apply(const maillog::DeliveryEvent& event);
  void warm_up(const maillog::DeliveryEvent& event);

  void put_cursor(std::string_view source, const LogCursor& cursor);
  [[nodiscard]] std::optional<LogCursor> cursor(std::string_view source);

  // Takes in what the MTA's list of its queue says. To be called within a batch.
  Reconciled reconcile(const QueueReport& report);

  // Removes expired messages that are not queued, traces that ended 120 s ago (by the `now` of an
  // earlier sweep), and captures that the log has not confirmed within an hour although it went on.
  // Looks at no more than `limit` rows. Returns how many messages and traces it removed. To be
  // called within a batch.
  std::size_t sweep(TimePoint now, std::size_t limit);
  void check_readers();  // frees the slots of dead readers

  [[nodiscard]] TimePoint expiry_of(TimePoint arrival, std::optional<Seconds> requested) const;
  [[nodiscard]] StoreStats stats();  // not to be called within a batch
  [[nodiscard]] const StoreSalt& salt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mtrk::store
