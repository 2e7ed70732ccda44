// This opens the store, runs batches, and passes the rest on to the parts below.
// tracking_admission.cc decides what may come in.
#include "common/store/store_format.h"
#include "common/store/sweep.h"
#include "common/store/tracking_writer_impl.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mtrk::store {
namespace {

constexpr Seconds kLeastRetention{24 * 3600};  // RFC 3885 §3.1 (MTRK-3.1-13, MTRK-3.1-16)
constexpr std::uint64_t kReserveDivisor = 20;  // 5 % of the map is kept for expiry and events
constexpr std::uint64_t kLeastReserve = 32;    // pages
constexpr Serial kMostUnfiled = 256;  // more unfiled traces than this are filed with the next batch

}  // namespace

TrackingWriter::Impl::Impl(WriterOptions given, Create create)
    : options(std::move(given)),
      filters(options.trace.filters.begin(), options.trace.filters.end()),
      gates(options.trace.gates.begin(), options.trace.gates.end()),
      env(Env::open(options.path,
                    Env::Access::read_write,
                    options.max_size,
                    create == Create::if_missing ? Env::Missing::create : Env::Missing::fail)),
      live(policy()),
      reconciler(options.trace.queue_lifetime) {
  router.emplace(policy(), maillog::HeldLimits(), options.host);
  options.maximum_retention = std::max(options.maximum_retention, kLeastRetention);
  options.default_retention =
      std::clamp(options.default_retention, kLeastRetention, options.maximum_retention);
}

void TrackingWriter::Impl::open_databases() {
  WriteTxn first(*env);
  databases = make_databases(first, options.path);
  salt = read_salt(first, databases);
  {
    Cursor cursor(first, databases.cursor);
    for (auto row = cursor.first(); row; row = cursor.next()) {
      if (const Expected<StoredCursor> stored = decode_cursor(row->value)) {
        newest = std::max(newest, stored->newest);
      }
    }
  }
  first.commit();
}

TrackingWriter::TrackingWriter(WriterOptions options, Create create)
    : impl_(std::make_unique<Impl>(std::move(options), create)) {
  try {
    impl_->open_databases();
  } catch (const StoreError& error) {
    rethrow_at_open(error, impl_->options.path);
  }
}

TrackingWriter::~TrackingWriter() = default;

void TrackingWriter::Impl::measure_room() {
  const Env::Pages pages = env->pages();
  room = pages.map - std::min(pages.map, pages.high_mark);
  if (room < pages.map / 2) {
    room += env->count_free_pages();
  }
  const std::uint64_t reserve = std::max(pages.map / kReserveDivisor, kLeastReserve);
  room -= std::min(room, reserve);
}

void TrackingWriter::begin() {
  Impl& self = *impl_;
  assert(!self.txn);
  self.measure_room();
  self.txn = std::make_unique<WriteTxn>(*self.env);
  try {
    self.env->require_current();
    if (read_salt(*self.txn, self.databases) != self.salt) {
      throw make_store_error(MDB_CORRUPTED, "the salt is another one");
    }
    if (self.options.grow_ahead) {
      self.env->grow_ahead();
    }
    self.rows.emplace(*self.txn, self.databases);
    if (self.txn->id() != self.next_txn) {
      self.live.load(*self.txn, self.databases);
      self.next_txn = self.txn->id();
    }
    self.live.begin(*self.rows);
    const Serial filed = self.rows->filed_serial();
    self.serial = std::max({self.serial, filed, self.rows->last_trace()});
    self.file_new = self.serial - filed > kMostUnfiled;
  } catch (...) {
    abort();
    throw;
  }
}

void TrackingWriter::commit() {
  Impl& self = *impl_;
  assert(self.txn);
  try {
    self.live.flush();
    if (self.file_new) {
      self.file_new_traces();
    }
    const std::uint64_t id = self.txn->id();
    const bool wrote = self.txn->wrote();
    self.next_txn = 0;  // if the commit fails, the state on the disk is unknown
    self.txn->commit();
    if (wrote) {
      self.env->require_current();  // the commit went into the files at the path
    }
    self.next_txn = wrote ? id + 1 : id;
  } catch (...) {
    abort();
    throw;
  }
  self.live.committed();
  self.rows.reset();
  self.txn.reset();
  self.file_new = self.new_rows = false;
  self.puts = 0;
}

void TrackingWriter::abort() noexcept {
  Impl& self = *impl_;
  if (!self.txn) {
    return;
  }
  self.live.abort();
  self.rows.reset();
  self.txn.reset();
  self.router.emplace(self.policy(), maillog::HeldLimits(),
                      self.options.host);  // The batch may have used up the events that it held.
  self.file_new = self.new_rows = false;
  self.puts = 0;
}

bool TrackingWriter::in_batch() const {
  return impl_->txn != nullptr;
}

bool TrackingWriter::dirty() const {
  return impl_->new_rows || impl_->live.changed_anything();
}

bool TrackingWriter::apply(const maillog::DeliveryEvent& event) {
  Impl& self = *impl_;
  assert(self.txn);
  self.newest = std::max(self.newest, std::optional(event.at));
  return self.router->route(event, self.live);
}

void TrackingWriter::warm_up(const maillog::DeliveryEvent& event) {
  impl_->router->warm_up(event);
}

void TrackingWriter::put_cursor(std::string_view source, const LogCursor& cursor) {
  impl_->rows->put_cursor(source, {cursor, impl_->newest});
  impl_->file_new = true;
}

std::optional<LogCursor> TrackingWriter::cursor(std::string_view source) {
  const auto read = [&](const Txn& txn) -> std::optional<LogCursor> {
    const std::optional<StoredCursor> stored = read_cursor(txn, impl_->databases, source);
    return stored ? std::optional(stored->cursor) : std::nullopt;
  };
  return impl_->txn ? read(*impl_->txn) : read(ReadTxn(*impl_->env));
}

Reconciled TrackingWriter::reconcile(const QueueReport& report) {
  Impl& self = *impl_;
  assert(self.txn);
  return self.reconciler.apply(report, self.live);
}

std::size_t TrackingWriter::sweep(TimePoint now, std::size_t limit) {
  Impl& self = *impl_;
  assert(self.txn);
  self.live.flush();
  self.file_new_traces();
  Sweep sweep(*self.rows, self.live, self.reconciler, self.newest, self.options.maximum_retention);
  const std::size_t removed = sweep.run(now, limit);
  self.new_rows = self.new_rows || sweep.touched();
  return removed;
}

void TrackingWriter::check_readers() {
  impl_->env->check_readers();
}

StoreStats TrackingWriter::stats() {
  assert(!impl_->txn);
  return read_stats(*impl_->env, impl_->databases);
}

const StoreSalt& TrackingWriter::salt() const {
  return impl_->salt;
}

}  // namespace mtrk::store
