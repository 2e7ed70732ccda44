#include "common/store/tracking_reader.h"

#include "common/base/exit_code.h"
#include "common/store/lmdb.h"
#include "common/store/record_codec.h"
#include "common/store/store_rows.h"

#include <array>
#include <atomic>
#include <optional>
#include <utility>

namespace mtrk::store {
namespace {

// A snapshot with a cursor, kept between calls: renewing costs a tenth of beginning.
struct Snapshot {
  Snapshot(Env& env, Dbi message) : txn(env), cursor(txn, message) {}
  ReadTxn txn;
  Cursor cursor;
};

// Each thread starts looking for a free slot at its own place, so that threads hardly ever meet.
std::size_t place_of_this_thread() {
  static std::atomic<std::size_t> next_place{0};
  thread_local const std::size_t place = next_place.fetch_add(1, std::memory_order_relaxed);
  return place;
}

}  // namespace

struct TrackingReader::Impl {
  static constexpr std::size_t kSlots = 32;

  // A snapshot borrowed for the time of one look-up.
  class Borrowed {
   public:
    explicit Borrowed(Impl& impl);
    ~Borrowed();
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Cursor& cursor() { return snapshot_->cursor; }

   private:
    std::atomic_flag* busy_ = nullptr;  // null: all were taken, the snapshot is our own
    std::unique_ptr<Snapshot> own_;
    Snapshot* snapshot_ = nullptr;
  };

  void read(Cursor& cursor,
            const MessageKey& key,
            TimePoint now,
            std::vector<TrackedMessage>& messages) const;

  std::shared_ptr<Env> env;
  Databases databases{};
  StoreSalt salt{};
  struct Slot {
    alignas(64) std::atomic_flag busy = ATOMIC_FLAG_INIT;
    std::unique_ptr<Snapshot> snapshot;
  };
  std::array<Slot, kSlots> slots;
};

TrackingReader::Impl::Borrowed::Borrowed(Impl& impl) {
  const std::size_t first = place_of_this_thread();
  for (std::size_t i = 0; i < kSlots && busy_ == nullptr; ++i) {
    Slot& slot = impl.slots[(first + i) % kSlots];
    if (slot.busy.test_and_set(std::memory_order_acquire)) {
      continue;
    }
    busy_ = &slot.busy;
    try {
      if (slot.snapshot) {
        slot.snapshot->txn.renew();
        slot.snapshot->cursor.renew(slot.snapshot->txn);
      } else {
        slot.snapshot = std::make_unique<Snapshot>(*impl.env, impl.databases.message);
      }
    } catch (...) {
      slot.snapshot.reset();
      slot.busy.clear(std::memory_order_release);
      throw;
    }
    snapshot_ = slot.snapshot.get();
  }
  if (busy_ == nullptr) {
    own_ = std::make_unique<Snapshot>(*impl.env, impl.databases.message);
    snapshot_ = own_.get();
  }
}

TrackingReader::Impl::Borrowed::~Borrowed() {
  if (busy_ != nullptr) {
    snapshot_->txn.park();
    busy_->clear(std::memory_order_release);
  }
}

TrackingReader::TrackingReader(const std::string& path) : impl_(std::make_unique<Impl>()) {
  impl_->env = Env::open(path, Env::Access::read_only, 0, Env::Missing::fail);
  ReadTxn txn(*impl_->env);
  const std::optional<Databases> databases = find_databases(txn, path);
  if (!databases) {
    throw StoreUnusable(exit_code::no_input, "store " + path + ": was never written to");
  }
  impl_->databases = *databases;
  impl_->salt = read_salt(txn, *databases);
  txn.keep_databases();
}

TrackingReader::~TrackingReader() = default;

void TrackingReader::Impl::read(Cursor& cursor,
                                const MessageKey& key,
                                TimePoint now,
                                std::vector<TrackedMessage>& messages) const {
  const std::string_view prefix = as_text(key.octets());
  const auto is_own = [&](const auto& row) {
    return row && row->key.substr(0, prefix.size()) == prefix;
  };
  auto row = cursor.seek(prefix);
  // Where there is no row of the key, the next one is treated like one that has expired, so that
  // both misses take the same time (O2).
  for (bool own = is_own(row); row;) {
    Expected<StoredMessage> stored = decode_message(row->value);
    if (!stored && own) {
      throw make_store_error(MDB_CORRUPTED, "message " + key.short_text());
    }
    // MTRK-3.1-18: what is queued here is never denied, however old.
    const bool valid =
        stored && stored->visible && (stored->message.queued || now < stored->message.expires_at);
    if (valid && own) {
      messages.push_back(std::move(stored->message));
    }
    row = cursor.next();
    own = is_own(row);
    if (!own) {
      break;
    }
  }
}

TrackingReader::Found TrackingReader::find(const EnvelopeId& envelope_id,
                                           const TrackingCertifier& certifier,
                                           TimePoint now) const {
  Found found;
  const MessageKey key = MessageKey::make(impl_->salt, envelope_id, certifier);
  found.key_tag = key.tag();
  Impl::Borrowed snapshot(*impl_);
  impl_->read(snapshot.cursor(), key, now, found.messages);
  if (found.messages.empty()) {
    if (std::optional<EnvelopeId> bare = envelope_id.without_brackets()) {
      const MessageKey bare_key = MessageKey::make(impl_->salt, *bare, certifier);
      impl_->read(snapshot.cursor(), bare_key, now, found.messages);
      if (!found.messages.empty()) {
        found.without_brackets = *std::move(bare);
      }
    }
  }
  return found;
}

StoreStats TrackingReader::stats() const {
  return read_stats(*impl_->env, impl_->databases);
}

}  // namespace mtrk::store
