#pragma once

#include "common/maillog/trace_router.h"
#include "common/store/live_traces.h"
#include "common/store/lmdb.h"
#include "common/store/reconcile.h"
#include "common/store/store_rows.h"
#include "common/store/tracking_writer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// This is private to tracking_writer.cc (the batch) and tracking_admission.cc (what may come in).
namespace mtrk::store {

struct TrackingWriter::Impl {
  Impl(WriterOptions given, Create create);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { env->end_writing(); }

  void open_databases();
  void measure_room();
  bool has_room();
  // Ends what the queue id stood for so far, so that `capture` can use it. If the store already has
  // this capture (its provisional stage, or the same message before a content filter), updates that
  // instead and returns true.
  bool settle_queue_id(const Capture& capture, const MessageKey& key);
  void put_new(const MessageKey& key,
               Origin origin,
               std::uint64_t ticket,
               std::optional<QueueId> followed,
               Passport passport,
               StoredMessage message);
  std::optional<Kept> refusal(const MessageKey& key);
  // Writes the rows of `expiry` and `due` that new traces do not have yet (store_format.h).
  void file_new_traces();

  maillog::TracePolicy policy() const { return {options.trace.queue_lifetime, filters, gates}; }

  WriterOptions options;
  std::vector<std::string> filters;  // the data of policy().filters
  std::vector<std::string> gates;    // the data of policy().gates
  std::shared_ptr<Env> env;
  Databases databases{};
  StoreSalt salt{};
  LiveTraces live;
  Reconciler reconciler;
  std::optional<maillog::TraceRouter> router;
  std::optional<LogTime> newest;  // the newest stamp of any event: how far the log has come

  // The members below belong to the batch.
  std::unique_ptr<WriteTxn> txn;
  std::optional<Rows> rows;
  Serial serial = 0;      // the last serial that was assigned
  bool file_new = false;  // file_new_traces() is due with this batch
  bool new_rows = false;  // rows were added other than through `live`
  std::uint64_t puts = 0;
  std::uint64_t room = 0;  // pages that were free when the batch began
  // The id of the next transaction if nobody else writes, or 0 if unknown. LMDB counts
  // transactions, so that a batch of another process (mtrkctl beside the daemon) is noticed and
  // nothing stale is used from the cache.
  std::uint64_t next_txn = 0;
};

}  // namespace mtrk::store
