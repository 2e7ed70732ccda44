#include "common/store/tracking_writer.h"

#include "common/maillog/trace_router.h"
#include "common/store/live_traces.h"
#include "common/store/lmdb.h"
#include "common/store/store_format.h"
#include "common/store/store_rows.h"
#include "common/store/sweep.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace mtrk::store {
namespace {

constexpr Seconds kLeastRetention{24 * 3600};  // RFC 3885 §3.1 (MTRK-3.1-13, MTRK-3.1-16)
constexpr std::uint64_t kReserveDivisor = 20;  // 5 % of the map is kept for expiry and events
constexpr std::uint64_t kLeastReserve = 32;    // pages
constexpr std::uint64_t kPagesPerPut = 12;     // upper bound: one leaf a database, and branches

bool has_delayed_recipient(const TrackedMessage& message) {
  return std::any_of(message.recipients.begin(), message.recipients.end(),
                     [](const Recipient& r) { return std::holds_alternative<Delayed>(r.outcome); });
}

template <typename Recipients>
bool same_recipients(const Recipients& a, const std::vector<Recipient>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const Recipient& y) {
    return x.original == y.original && x.final == y.final;
  });
}

bool same_transaction(const TrackedMessage& a, const TrackedMessage& b) {
  return a.arrival == b.arrival && a.reporting_mta == b.reporting_mta && a.queue_id == b.queue_id &&
         same_recipients(a.recipients, b.recipients);
}

maillog::DeliveryTrace make_trace(const QueueId& root, const TrackedMessage& message) {
  std::vector<std::string> recipients;
  recipients.reserve(message.recipients.size());
  for (const Recipient& recipient : message.recipients) {
    recipients.push_back(recipient.final.value);
  }
  return {root, message.arrival, std::move(recipients), maillog::Recipients::captured};
}

}  // namespace

struct TrackingWriter::Impl {
  Impl(WriterOptions given, Create create)
      : options(std::move(given)),
        filters(options.trace.filters.begin(), options.trace.filters.end()),
        env(Env::open(options.path,
                      Env::Access::read_write,
                      options.max_size,
                      create == Create::if_missing ? Env::Missing::create : Env::Missing::fail)),
        live(policy()) {
    router.emplace(policy());
    options.maximum_retention = std::max(options.maximum_retention, kLeastRetention);
    options.default_retention =
        std::clamp(options.default_retention, kLeastRetention, options.maximum_retention);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { env->end_writing(); }

  void open_databases();
  void measure_room();
  bool has_room();
  // The transaction that the queue id stands for so far makes way; what is stored already of this
  // capture (its provisional stage, or the same message before a content filter) is brought up to
  // date instead: true.
  bool settle_queue_id(const Capture& capture, const MessageKey& key);
  void put_new(const MessageKey& key,
               Origin origin,
               std::uint64_t ticket,
               std::optional<QueueId> followed,
               Passport passport,
               StoredMessage message);
  std::optional<Kept> refusal(const MessageKey& key);

  maillog::TracePolicy policy() const { return {options.trace.queue_lifetime, filters}; }

  WriterOptions options;
  std::vector<std::string> filters;  // what policy().filters looks at
  std::shared_ptr<Env> env;
  Databases databases{};
  StoreSalt salt{};
  LiveTraces live;
  std::optional<maillog::TraceRouter> router;
  std::optional<LogTime> newest;  // stamp of any event: how far the log has come

  // The batch.
  std::unique_ptr<WriteTxn> txn;
  std::optional<Rows> rows;
  Serial serial = 0;
  bool new_serial = false;
  bool new_rows = false;  // other than through `live`
  std::uint64_t puts = 0;
  std::uint64_t room = 0;  // pages that were free when the batch began
  // Of the transaction that comes next if nobody else writes; 0 = unknown. LMDB counts them, so
  // another process's batch (mtrkctl beside the daemon) shows, and nothing cached is stale.
  std::uint64_t next_txn = 0;
};

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
  impl_->open_databases();
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

bool TrackingWriter::Impl::has_room() {
  std::uint64_t needed = (puts + 1) * kPagesPerPut;
  if (needed <= room) {
    return true;
  }
  // A batch cannot copy more pages than there are.
  std::uint64_t all = 2 * kPagesPerPut;
  for (const Dbi dbi : {databases.message, databases.queue, databases.trace, databases.expiry,
                        databases.due, databases.cursor, databases.meta}) {
    all += txn->tree_pages(dbi);
  }
  return std::min(needed, all) <= room;
}

void TrackingWriter::begin() {
  Impl& self = *impl_;
  assert(!self.txn);
  self.measure_room();
  self.txn = std::make_unique<WriteTxn>(*self.env);
  try {
    self.rows.emplace(*self.txn, self.databases);
    if (self.txn->id() != self.next_txn) {
      self.live.load(*self.txn, self.databases);
      self.next_txn = self.txn->id();
    }
    self.live.begin(*self.rows);
    self.serial = self.rows->last_serial();
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
    if (self.new_serial) {
      self.rows->put_last_serial(self.serial);
    }
    const std::uint64_t id = self.txn->id();
    const bool wrote = self.txn->wrote();
    self.next_txn = 0;  // should commit fail, nobody knows what is on disk
    self.txn->commit();
    self.next_txn = wrote ? id + 1 : id;
  } catch (...) {
    abort();
    throw;
  }
  self.live.committed();
  self.rows.reset();
  self.txn.reset();
  self.new_serial = self.new_rows = false;
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
  self.router.emplace(self.policy());  // what it held may have been used up by the batch
  self.new_serial = self.new_rows = false;
  self.puts = 0;
}

bool TrackingWriter::in_batch() const {
  return impl_->txn != nullptr;
}

bool TrackingWriter::dirty() const {
  return impl_->new_rows || impl_->live.changed_anything();
}

bool TrackingWriter::Impl::settle_queue_id(const Capture& capture, const MessageKey& key) {
  const std::string& queue_id = capture.queue_id.text();
  const std::optional<Serial> holder = live.serial_of(queue_id);
  LiveTraces::Entry* entry = holder ? live.entry(*holder) : nullptr;
  if (entry == nullptr) {
    return false;
  }
  StoredTrace& known = entry->trace;
  const bool is_root = known.trace.root() == queue_id;
  const bool same_message = !entry->refused && known.key == key;
  if (same_message && !is_root && known.trace.queued()) {
    return true;  // re-injected here: followed as the one message it is
  }
  if (same_message && is_root && known.origin != Origin::imported &&
      known.ticket == capture.ticket &&
      same_recipients(capture.recipients, entry->message->message.recipients)) {
    if (capture.stage == Stage::final) {
      known.origin = Origin::final;
      live.update_message(*holder, *entry);
    }
    return true;
  }
  const bool never_was = entry->refused || known.ticket == capture.ticket ||
                         (known.origin == Origin::provisional && !known.trace.confirmed());
  if (is_root && never_was) {
    live.remove(*holder);
  } else if (is_root) {
    live.end(*holder, capture.arrival);
  }
  return false;
}

std::optional<Kept> TrackingWriter::Impl::refusal(const MessageKey& key) {
  if (!has_room()) {
    return Kept::store_full;
  }
  if (rows->transactions(key).size() >= kMaxTransactions) {
    return Kept::merged_limit;
  }
  ++puts;
  return std::nullopt;
}

void TrackingWriter::Impl::put_new(const MessageKey& key,
                                   Origin origin,
                                   std::uint64_t ticket,
                                   std::optional<QueueId> followed,
                                   Passport passport,
                                   StoredMessage message) {
  const Serial mine = ++serial;
  new_serial = new_rows = true;
  const TrackedMessage& tracked = message.message;
  rows->put_expiry({tracked.expires_at, key, mine});
  if (!followed) {
    rows->put_message(key, mine, message);
    return;
  }
  if (origin != Origin::imported) {
    rows->put_reminder({tracked.arrival + kUnconfirmedLifetime, mine, Reminder::unconfirmed});
  }
  StoredTrace trace{
      key, origin, ticket, tracked.arrival, std::move(passport), make_trace(*followed, tracked)};
  if (origin != Origin::imported) {
    for (std::size_t i = 0; i < message.message.recipients.size(); ++i) {
      message.message.recipients[i].outcome = trace.trace.outcome(i, policy());
    }
  }
  live.insert(mine, std::move(trace), std::move(message));
}

Kept TrackingWriter::put_capture(const Capture& capture) {
  Impl& self = *impl_;
  assert(self.txn && !capture.recipients.empty());
  const MessageKey key = MessageKey::make(self.salt, capture.envelope_id, capture.certifier);
  if (self.settle_queue_id(capture, key)) {
    return Kept::stored;
  }
  if (const std::optional<Kept> refused = self.refusal(key)) {
    return *refused;
  }
  StoredMessage stored;
  stored.visible = capture.stage == Stage::final;
  TrackedMessage& message = stored.message;
  message.reporting_mta = capture.reporting_mta;
  message.arrival = capture.arrival;
  message.utc_offset = capture.utc_offset;
  message.expires_at = expiry_of(capture.arrival, capture.timeout);
  message.queued = true;
  message.queue_id = capture.queue_id.text();
  for (const Capture::Recipient& recipient : capture.recipients) {
    message.recipients.push_back({recipient.original, recipient.final, Outcome(Opaque{})});
  }
  self.put_new(key, capture.stage == Stage::final ? Origin::final : Origin::provisional,
               capture.ticket, capture.queue_id,
               {capture.envelope_id, capture.certifier, capture.timeout}, std::move(stored));
  return Kept::stored;
}

void TrackingWriter::drop_capture(std::string_view queue_id, std::uint64_t ticket) {
  Impl& self = *impl_;
  const std::optional<Serial> holder = self.live.serial_of(queue_id);
  const LiveTraces::Entry* entry = holder ? self.live.entry(*holder) : nullptr;
  if (entry != nullptr && entry->trace.ticket == ticket &&
      entry->trace.origin == Origin::provisional && entry->trace.trace.root() == queue_id) {
    self.live.remove(*holder);
  }
}

Kept TrackingWriter::put_message(const EnvelopeId& envelope_id,
                                 const TrackingCertifier& certifier,
                                 const TrackedMessage& message) {
  Impl& self = *impl_;
  assert(self.txn && !message.recipients.empty());
  const MessageKey key = MessageKey::make(self.salt, envelope_id, certifier);
  for (const Serial serial : self.rows->transactions(key)) {
    const std::optional<StoredMessage> known = self.rows->message(key, serial);
    if (known && same_transaction(known->message, message)) {
      if (self.live.entry(serial) == nullptr) {  // else the log knows better
        StoredMessage replacement{true, message};
        replacement.message.queued = false;
        self.rows->put_message(key, serial, replacement);
        self.rows->put_expiry({message.expires_at, key, serial});
        self.new_rows = true;
      }
      return Kept::stored;
    }
  }
  if (const std::optional<Kept> refused = self.refusal(key)) {
    return *refused;
  }
  std::optional<QueueId> followed;
  if (has_delayed_recipient(message)) {
    followed = QueueId::parse(message.queue_id);
  }
  StoredMessage stored{true, message};
  stored.message.queued = followed.has_value();
  if (followed) {
    if (const std::optional<Serial> holder = self.live.serial_of(followed->text())) {
      self.live.end(*holder, message.arrival);
    }
  }
  self.put_new(key, Origin::imported, 0, std::move(followed), {envelope_id, certifier, {}},
               std::move(stored));
  return Kept::stored;
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
}

std::optional<LogCursor> TrackingWriter::cursor(std::string_view source) {
  const auto read = [&](const Txn& txn) -> std::optional<LogCursor> {
    const std::optional<StoredCursor> stored = read_cursor(txn, impl_->databases, source);
    return stored ? std::optional(stored->cursor) : std::nullopt;
  };
  return impl_->txn ? read(*impl_->txn) : read(ReadTxn(*impl_->env));
}

std::size_t TrackingWriter::sweep(TimePoint now, std::size_t limit) {
  Impl& self = *impl_;
  assert(self.txn);
  self.live.flush();
  Sweep sweep(*self.rows, self.live, self.newest, self.options.maximum_retention);
  const std::size_t removed = sweep.run(now, limit);
  self.new_rows = self.new_rows || sweep.touched();
  return removed;
}

void TrackingWriter::check_readers() {
  impl_->env->check_readers();
}

TimePoint TrackingWriter::expiry_of(TimePoint arrival, std::optional<Seconds> requested) const {
  const WriterOptions& options = impl_->options;
  return arrival +
         std::min(requested.value_or(options.default_retention), options.maximum_retention);
}

StoreStats TrackingWriter::stats() {
  assert(!impl_->txn);
  return read_stats(*impl_->env, impl_->databases);
}

const StoreSalt& TrackingWriter::salt() const {
  return impl_->salt;
}

}  // namespace mtrk::store
