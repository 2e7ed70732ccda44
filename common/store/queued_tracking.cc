#include "common/store/queued_tracking.h"

#include "common/base/codec.h"
#include "common/store/lmdb.h"
#include "common/store/record_codec.h"
#include "common/store/store_rows.h"
#include "common/track/message_key.h"
#include "common/track/queue_id.h"

#include <utility>

namespace mtrk::store {

struct QueuedTrackingReader::Impl {
  std::shared_ptr<Env> env;
  Databases databases{};
  StoreSalt salt{};

  [[nodiscard]] std::optional<QueuedTracking> read(const ReadTxn& txn, Serial serial) const;
};

std::optional<QueuedTracking> QueuedTrackingReader::Impl::read(const ReadTxn& txn,
                                                               Serial serial) const {
  std::string key;
  put_u64(key, serial);
  const std::optional<std::string_view> record = txn.get(databases.trace, key);
  Expected<StoredTrace> trace =
      record ? decode_trace(*record) : fail(ErrorCode::corrupt, "no trace row");
  if (!trace || !trace->passport) {
    return std::nullopt;
  }
  return QueuedTracking{std::move(trace->passport->envelope_id), trace->passport->certifier,
                        trace->passport->timeout, trace->arrival, std::move(trace->trace)};
}

QueuedTrackingReader::QueuedTrackingReader(const std::string& path)
    : impl_(std::make_unique<Impl>()) {
  impl_->env = Env::open(path, Env::Access::read_only, 0, Env::Missing::fail);
  const OpenedStore opened = open_databases(*impl_->env, path);
  impl_->databases = opened.databases;
  impl_->salt = opened.salt;
}

QueuedTrackingReader::~QueuedTrackingReader() = default;

std::optional<QueuedTracking> QueuedTrackingReader::find(std::string_view queue_id) {
  if (!QueueId::is_queue_id(queue_id)) {
    return std::nullopt;
  }
  std::string prefix(queue_id);
  prefix += '\0';
  return read_whole(*impl_->env, [&](const ReadTxn& txn) {
    std::optional<Serial> serial;
    Cursor cursor(txn, impl_->databases.queue);
    for (auto row = cursor.seek(prefix); row && row->key.substr(0, prefix.size()) == prefix;
         row = cursor.next()) {
      if (const Expected<std::uint64_t> number = decode_number(row->value)) {
        serial = *number;  // the last incarnation is the newest
      }
    }
    return serial ? impl_->read(txn, *serial) : std::nullopt;
  });
}

std::vector<QueuedTracking> QueuedTrackingReader::find(const EnvelopeId& envelope_id,
                                                       const TrackingCertifier& certifier) {
  const MessageKey key = MessageKey::make(impl_->salt, envelope_id, certifier);
  const std::string_view prefix = as_text(key.octets());
  return read_whole(*impl_->env, [&](const ReadTxn& txn) {
    std::vector<Serial> serials;  // ascending
    Cursor cursor(txn, impl_->databases.message);
    for (auto row = cursor.seek(prefix); row && row->key.substr(0, prefix.size()) == prefix;
         row = cursor.next()) {
      if (const std::optional<Serial> serial = serial_of_message_row(row->key)) {
        serials.push_back(*serial);
      }
    }
    std::vector<QueuedTracking> found;
    for (auto serial = serials.rbegin();
         serial != serials.rend() && found.size() < kMostTransactions; ++serial) {
      if (std::optional<QueuedTracking> tracking = impl_->read(txn, *serial)) {
        found.push_back(*std::move(tracking));
      }
    }
    return found;
  });
}

}  // namespace mtrk::store
