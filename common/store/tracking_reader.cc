#include "common/store/tracking_reader.h"

#include "common/store/lmdb.h"
#include "common/store/record_codec.h"
#include "common/store/store_rows.h"

#include <array>
#include <atomic>
#include <optional>
#include <utility>

namespace mtrk::store {
namespace {

// A Reading is a transaction with a cursor, and memory for what is found. It is kept between
// snapshots, because renewing costs a tenth of beginning.
class Reading {
 public:
  Reading(Env& env, Dbi message) : txn_(env), cursor_(txn_, message) {}

  void renew() {
    txn_.renew();
    cursor_.renew(txn_);
  }
  [[nodiscard]] bool overtaken() const { return txn_.overtaken(); }
  [[nodiscard]] StoreSalt salt(const Databases& databases) const {
    return read_salt(txn_, databases);
  }
  void park() noexcept {
    txn_.park();
    if (recipients_.capacity() > kKeptRecipients) {
      recipients_ = {};
    }
  }
  [[nodiscard]] std::span<MessageView> read(const MessageKey& key, TimePoint now);

 private:
  static constexpr std::size_t kKeptRecipients = 256;  // more memory than this is released

  ReadTxn txn_;
  Cursor cursor_;
  std::vector<RecipientView> recipients_;  // those of all messages_, in their order
  std::vector<std::size_t> starts_;        // where the recipients of each message begin
  std::vector<MessageView> messages_;
};

std::span<MessageView> Reading::read(const MessageKey& key, TimePoint now) {
  recipients_.clear();
  starts_.clear();
  messages_.clear();
  const std::string_view prefix = as_text(key.octets());
  const auto is_own = [&](const auto& row) {
    return row && row->key.substr(0, prefix.size()) == prefix;
  };
  auto row = cursor_.seek(prefix);
  // If there is no row with this key, the next row is treated like an expired one, so that both
  // misses take the same time (THR-O2).
  for (bool own = is_own(row); row;) {
    const std::size_t start = recipients_.size();
    Expected<StoredMessageView> stored = decode_message_view(row->value, recipients_);
    if (!stored && own) {
      throw make_store_error(MDB_CORRUPTED, "message " + key.short_text());
    }
    // MTRK-3.1-18: the existence of a queued message is never denied, however old it is.
    const bool valid =
        stored && stored->visible && (stored->message.queued || now < stored->message.expires_at);
    if (valid && own) {
      messages_.push_back(stored->message);
      starts_.push_back(start);
    } else {
      recipients_.resize(start);
    }
    row = cursor_.next();
    own = is_own(row);
    if (!own) {
      break;
    }
  }
  starts_.push_back(recipients_.size());
  for (std::size_t i = 0; i < messages_.size(); ++i) {  // the vector does not move any more
    messages_[i].recipients =
        std::span(recipients_).subspan(starts_[i], starts_[i + 1] - starts_[i]);
  }
  return messages_;
}

constexpr int kSnapshots = 100;  // after so many overtaken snapshots it gives up

// Each thread starts to look for a free slot at its own place, so that threads hardly ever meet.
std::size_t place_of_this_thread() {
  static std::atomic<std::size_t> next_place{0};
  thread_local const std::size_t place = next_place.fetch_add(1, std::memory_order_relaxed);
  return place;
}

}  // namespace

struct TrackingReader::Impl {
  static constexpr std::size_t kSlots = 32;

  std::shared_ptr<Env> env;
  Databases databases{};
  StoreSalt salt{};
  struct Slot {
    alignas(64) std::atomic_flag busy = ATOMIC_FLAG_INIT;
    std::unique_ptr<Reading> reading;
  };
  std::array<Slot, kSlots> slots;
};

TrackingReader::TrackingReader(const std::string& path) : impl_(std::make_unique<Impl>()) {
  impl_->env = Env::open(path, Env::Access::read_only, 0, Env::Missing::fail);
  const OpenedStore opened = open_databases(*impl_->env, path);
  impl_->databases = opened.databases;
  impl_->salt = opened.salt;
}

TrackingReader::~TrackingReader() = default;

// A Lease lends a Reading for the time of one snapshot.
class TrackingReader::Snapshot::Lease {
 public:
  explicit Lease(Impl& impl);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  [[nodiscard]] const StoreSalt& salt() const { return impl_.salt; }
  [[nodiscard]] Reading& reading() { return *reading_; }
  [[nodiscard]] Env& env() const { return *impl_.env; }
  [[nodiscard]] StoreSalt salt_there() const { return reading_->salt(impl_.databases); }
  void spoil() { spoilt_ = true; }  // the reading must not be used again

 private:
  Impl& impl_;
  bool spoilt_ = false;
  Impl::Slot* slot_ = nullptr;  // null if all slots were taken, so that the reading is our own
  std::unique_ptr<Reading> own_;
  Reading* reading_ = nullptr;
};

TrackingReader::Snapshot::Lease::Lease(Impl& impl) : impl_(impl) {
  const std::size_t first = place_of_this_thread();
  for (std::size_t i = 0; i < Impl::kSlots && slot_ == nullptr; ++i) {
    Impl::Slot& slot = impl.slots[(first + i) % Impl::kSlots];
    if (slot.busy.test_and_set(std::memory_order_acquire)) {
      continue;
    }
    slot_ = &slot;
    try {
      if (slot.reading) {
        slot.reading->renew();
      } else {
        slot.reading = std::make_unique<Reading>(*impl.env, impl.databases.message);
      }
    } catch (...) {
      slot.reading.reset();
      slot.busy.clear(std::memory_order_release);
      throw;
    }
    reading_ = slot.reading.get();
  }
  if (slot_ == nullptr) {
    own_ = std::make_unique<Reading>(*impl.env, impl.databases.message);
    reading_ = own_.get();
  }
}

TrackingReader::Snapshot::Lease::~Lease() {
  if (slot_ != nullptr) {
    if (spoilt_) {
      slot_->reading.reset();
    } else {
      reading_->park();
    }
    slot_->busy.clear(std::memory_order_release);
  }
}

TrackingReader::Snapshot::Snapshot(std::unique_ptr<Lease> lease) : lease_(std::move(lease)) {}
TrackingReader::Snapshot::Snapshot(Snapshot&&) noexcept = default;
TrackingReader::Snapshot::~Snapshot() = default;

TrackingReader::Snapshot TrackingReader::snapshot() const {
  return Snapshot(std::make_unique<Snapshot::Lease>(*impl_));
}

TrackingReader::Snapshot::Views TrackingReader::Snapshot::find(const EnvelopeId& envelope_id,
                                                               const TrackingCertifier& certifier,
                                                               TimePoint now) {
  Views found;
  const MessageKey key = MessageKey::make(lease_->salt(), envelope_id, certifier);
  found.key_tag = key.tag();
  try {
    found.messages = lease_->reading().read(key, now);
    if (found.messages.empty()) {
      if (std::optional<EnvelopeId> bare = envelope_id.without_brackets()) {
        const MessageKey bare_key = MessageKey::make(lease_->salt(), *bare, certifier);
        found.messages = lease_->reading().read(bare_key, now);
        if (!found.messages.empty()) {
          found.without_brackets = *std::move(bare);
        }
      }
    }
    // A message that was found is right, because it was found by its key. If nothing was found,
    // another store may have been written over this one.
    if (found.messages.empty() && lease_->salt_there() != lease_->salt()) {
      throw make_store_error(MDB_CORRUPTED, "data.mdb is of another store now");
    }
  } catch (const StoreError&) {
    lease_->spoil();
    confirm();
    throw;
  }
  missed_ = found.messages.empty();
  return found;
}

TrackingReader::Found TrackingReader::find(const EnvelopeId& envelope_id,
                                           const TrackingCertifier& certifier,
                                           TimePoint now) const {
  for (int i = 0; i < kSnapshots; ++i) {
    try {
      Snapshot fresh = snapshot();
      Snapshot::Views views = fresh.find(envelope_id, certifier, now);
      Found found;
      found.messages.reserve(views.messages.size());
      for (const MessageView& message : views.messages) {
        found.messages.push_back(to_tracked_message(message));
      }
      fresh.confirm();
      found.without_brackets = std::move(views.without_brackets);
      found.key_tag = views.key_tag;
      return found;
    } catch (const StoreOvertaken&) {
    }
  }
  throw StoreOvertaken();
}

void TrackingReader::Snapshot::confirm() const {
  if (lease_->reading().overtaken()) {
    throw StoreOvertaken();
  }
  if (!lease_->env().sound() || (missed_ && !lease_->env().has_whole_pages())) {
    throw make_store_error(MDB_CORRUPTED, "read");
  }
}

bool TrackingReader::current() const {
  return impl_->env->is_current();
}

StoreStats TrackingReader::stats() const {
  return read_stats(*impl_->env, impl_->databases);
}

}  // namespace mtrk::store
