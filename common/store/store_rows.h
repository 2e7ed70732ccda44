#pragma once

#include "common/base/time.h"
#include "common/store/lmdb.h"
#include "common/store/record_codec.h"
#include "common/store/store_stats.h"
#include "common/track/message_key.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These are the rows of the store (store_format.h) as typed operations. They know keys and values,
// but no rules. Not thread-safe.
namespace mtrk::store {

using Serial = std::uint64_t;

struct Databases {
  Dbi meta, message, queue, trace, expiry, due, cursor, aside;
};
// Creates the databases that are missing. Throws StoreUnusable 78 if the format is newer than this
// program.
[[nodiscard]] Databases make_databases(WriteTxn& txn, const std::string& path);
[[nodiscard]] StoreSalt read_salt(const Txn& txn, const Databases& databases);

// An OpenedStore is what a reader needs of a store. open_databases() is called once, and its
// databases stay open in the environment. Throws StoreUnusable (missing if the store was never
// written to, damaged, newer format) or StoreError.
struct OpenedStore {
  Databases databases;
  StoreSalt salt;
};
[[nodiscard]] OpenedStore open_databases(Env& env, const std::string& path);

[[nodiscard]] std::string message_row_key(const MessageKey& key, Serial serial);
[[nodiscard]] std::optional<Serial> serial_of_message_row(std::string_view row_key);

// A Reminder says why the sweep is to look at a trace.
enum class Reminder : std::uint8_t { unconfirmed, ended };

// Rows are the rows within one write transaction. A record that fails its check is set aside and
// reads as absent.
class Rows {
 public:
  Rows(WriteTxn& txn, const Databases& databases) : txn_(txn), db_(databases) {}

  [[nodiscard]] std::optional<StoredMessage> message(const MessageKey& key, Serial serial);
  void put_message(const MessageKey& key, Serial serial, const StoredMessage& message);
  bool erase_message(const MessageKey& key, Serial serial, TimePoint expires_at);
  [[nodiscard]] std::vector<Serial> transactions(const MessageKey& key);

  [[nodiscard]] std::optional<StoredTrace> trace(Serial serial);
  void put_trace(Serial serial, const StoredTrace& trace);
  void erase_trace(Serial serial);

  // Makes the next incarnation of the queue id work for `serial` from now on.
  void bind(std::string_view queue_id, Serial serial);
  void unbind(std::string_view queue_id, Serial serial);

  struct ExpiryRow {
    TimePoint at;
    MessageKey key;
    Serial serial;
  };
  [[nodiscard]] std::vector<ExpiryRow> expiries(TimePoint until, std::size_t limit);
  void put_expiry(const ExpiryRow& row);
  void erase_expiry(const ExpiryRow& row);

  struct DueRow {
    TimePoint at;
    Serial serial;
    Reminder reminder;
  };
  [[nodiscard]] std::vector<DueRow> reminders(TimePoint until, std::size_t limit);
  void put_reminder(const DueRow& row);
  void erase_reminder(const DueRow& row);

  void put_cursor(std::string_view source, const StoredCursor& cursor);

  [[nodiscard]] Serial last_trace();  // 0 if there is none
  [[nodiscard]] std::vector<Serial> traces_after(Serial serial);
  [[nodiscard]] Serial filed_serial();  // "serial" of store_format.h
  void put_filed_serial(Serial serial);

 private:
  void set_aside(Dbi dbi, std::string_view database, std::string_view key);

  WriteTxn& txn_;
  const Databases& db_;
  std::string buffer_;  // holds the value being written: one allocation for many rows
};

[[nodiscard]] std::optional<StoredCursor> read_cursor(const Txn& txn,
                                                      const Databases& databases,
                                                      std::string_view source);

[[nodiscard]] StoreStats read_stats(Env& env, const Databases& databases);

// Calls visit(QueueRow) for each queue id and its serial, the newest incarnation of an id last.
struct QueueRow {
  std::string_view queue_id;
  Serial serial;
};
template <typename Visit>
void for_each_queue_row(const Txn& txn, const Databases& databases, Visit visit) {
  constexpr std::size_t kSuffix = 5;  // a zero octet and the incarnation
  Cursor cursor(txn, databases.queue);
  for (auto row = cursor.first(); row; row = cursor.next()) {
    const Expected<std::uint64_t> serial = decode_number(row->value);
    if (serial && row->key.size() > kSuffix) {
      visit(QueueRow{row->key.substr(0, row->key.size() - kSuffix), *serial});
    }
  }
}

}  // namespace mtrk::store
