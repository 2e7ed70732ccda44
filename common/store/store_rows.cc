#include "common/store/store_rows.h"

#include "common/base/codec.h"
#include "common/base/exit_code.h"
#include "common/store/store_format.h"

#include <algorithm>
#include <random>

namespace mtrk::store {
namespace {

constexpr const char* kFormatName = "format";
constexpr const char* kSaltName = "salt";
constexpr const char* kSaltCheckName = "salt.crc";
constexpr const char* kSerialName = "serial";
constexpr std::size_t kMessageRowKey = 40;

// Returns a time as it stands in keys. All times before 1970 become the same, because nobody needs
// to distinguish them.
std::uint64_t key_time(TimePoint at) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch().count()));
}
TimePoint from_key_time(std::uint64_t seconds) {
  return TimePoint(Seconds(static_cast<std::int64_t>(seconds)));
}

std::string serial_key(Serial serial) {
  std::string key;
  put_u64(key, serial);
  return key;
}

Serial serial_of_trace_row(std::string_view row_key) {
  Serial serial = 0;
  static_cast<void>(get_u64(row_key, serial));
  return serial;
}

std::string expiry_key(const Rows::ExpiryRow& row) {
  std::string key;
  put_u64(key, key_time(row.at));
  return key + message_row_key(row.key, row.serial);
}

std::string due_key(const Rows::DueRow& row) {
  std::string key;
  put_u64(key, key_time(row.at));
  put_u64(key, row.serial);
  put_u8(key, static_cast<std::uint8_t>(row.reminder));
  return key;
}

std::string queue_prefix(std::string_view queue_id) {
  std::string prefix(queue_id);
  put_u8(prefix, 0);
  return prefix;
}

// Protects the salt: with a wrong one, everything would be looked for in the wrong place and
// nothing found.
std::string check_of_salt(std::string_view salt) {
  std::string check;
  put_u32(check, crc32c(salt));
  return check;
}

StoreSalt make_salt() {
  std::random_device source;  // the system's random number generator
  StoreSalt salt{};
  std::generate(salt.begin(), salt.end(),
                [&] { return static_cast<std::uint8_t>(source() & 0xFF); });
  return salt;
}

void require_format(std::string_view value, const std::string& path) {
  const Expected<std::uint64_t> format = decode_number(value);
  if (!format && format.error().code != ErrorCode::unsupported) {
    throw StoreUnusable(exit_code::data_error,
                        "store " + path + ": its format cannot be read (corrupt)");
  }
  if (!format || *format != kFormat) {
    throw StoreUnusable(exit_code::config, "store " + path + ": has format " +
                                               (format ? std::to_string(*format) : "newer than") +
                                               ", not " + std::to_string(kFormat) +
                                               ": made by a newer version of this program");
  }
}

// Returns nothing if the store was never written to.
std::optional<Databases> find_databases(ReadTxn& txn, const std::string& path) {
  const std::optional<Dbi> meta = txn.find_database(kMeta);
  const auto format = meta ? txn.get(*meta, kFormatName) : std::nullopt;
  if (!format) {
    return std::nullopt;
  }
  require_format(*format, path);
  Databases databases{*meta, 0, 0, 0, 0, 0, 0, 0};
  for (const auto& [name, dbi] :
       {std::pair{kMessage, &databases.message}, std::pair{kQueue, &databases.queue},
        std::pair{kTrace, &databases.trace}, std::pair{kExpiry, &databases.expiry},
        std::pair{kDue, &databases.due}, std::pair{kCursor, &databases.cursor},
        std::pair{kAside, &databases.aside}}) {
    const std::optional<Dbi> found = txn.find_database(name);
    if (!found) {
      return std::nullopt;
    }
    *dbi = *found;
  }
  return databases;
}

}  // namespace

Databases make_databases(WriteTxn& txn, const std::string& path) {
  const Dbi meta = txn.make_database(kMeta);
  if (const auto format = txn.get(meta, kFormatName)) {
    require_format(*format, path);
  } else {
    std::string value;
    encode_number(kFormat, value);
    txn.put(meta, kFormatName, value);
    txn.put(meta, kSaltName, as_text(make_salt()));
  }
  if (const auto salt = txn.get(meta, kSaltName); salt && !txn.get(meta, kSaltCheckName)) {
    txn.put(meta, kSaltCheckName, check_of_salt(*salt));
  }
  return {meta,
          txn.make_database(kMessage),
          txn.make_database(kQueue),
          txn.make_database(kTrace),
          txn.make_database(kExpiry),
          txn.make_database(kDue),
          txn.make_database(kCursor),
          txn.make_database(kAside)};
}

StoreSalt read_salt(const Txn& txn, const Databases& databases) {
  const auto value = txn.get(databases.meta, kSaltName);
  StoreSalt salt{};
  if (!value || value->size() != salt.size()) {
    throw make_store_error(MDB_CORRUPTED, "no salt");
  }
  if (const auto check = txn.get(databases.meta, kSaltCheckName);
      check && *check != check_of_salt(*value)) {
    throw make_store_error(MDB_CORRUPTED, "the salt is damaged");
  }
  value->copy(reinterpret_cast<char*>(salt.data()), salt.size());
  return salt;
}

OpenedStore open_databases(Env& env, const std::string& path) {
  constexpr int kSnapshots = 100;
  for (int i = 0; i < kSnapshots; ++i) {
    try {
      ReadTxn txn(env);
      try {
        const std::optional<Databases> databases = find_databases(txn, path);
        if (!databases) {
          throw StoreUnusable(exit_code::no_input, "store " + path + ": was never written to");
        }
        const OpenedStore opened{*databases, read_salt(txn, *databases)};
        if (!txn.overtaken()) {
          txn.keep_databases();
          return opened;
        }
      } catch (const std::runtime_error&) {  // StoreError or StoreUnusable
        if (!txn.overtaken()) {
          throw;
        }
      }
    } catch (const StoreError& error) {
      rethrow_at_open(error, path);
    }
  }
  throw StoreOvertaken();
}

std::string message_row_key(const MessageKey& key, Serial serial) {
  std::string row_key(as_text(key.octets()));
  put_u64(row_key, serial);
  return row_key;
}

std::optional<Serial> serial_of_message_row(std::string_view row_key) {
  Serial serial = 0;
  if (row_key.size() != kMessageRowKey) {
    return std::nullopt;
  }
  row_key.remove_prefix(kMessageRowKey - sizeof(serial));
  return get_u64(row_key, serial) ? std::optional(serial) : std::nullopt;
}

void Rows::set_aside(Dbi dbi, std::string_view database, std::string_view key) {
  const auto value = txn_.get(dbi, key);
  std::string aside_key(database);
  put_u8(aside_key, 0);
  aside_key += key;
  txn_.put(db_.aside, aside_key, std::string(value.value_or("")));
  txn_.erase(dbi, key);
}

std::optional<StoredMessage> Rows::message(const MessageKey& key, Serial serial) {
  const std::string row_key = message_row_key(key, serial);
  const auto record = txn_.get(db_.message, row_key);
  if (!record) {
    return std::nullopt;
  }
  Expected<StoredMessage> message = decode_message(*record);
  if (!message) {
    set_aside(db_.message, kMessage, row_key);
    return std::nullopt;
  }
  return *std::move(message);
}

void Rows::put_message(const MessageKey& key, Serial serial, const StoredMessage& message) {
  encode_message(message, buffer_);
  txn_.put(db_.message, message_row_key(key, serial), buffer_);
}

bool Rows::erase_message(const MessageKey& key, Serial serial, TimePoint expires_at) {
  erase_expiry({expires_at, key, serial});
  return txn_.erase(db_.message, message_row_key(key, serial));
}

std::vector<Serial> Rows::transactions(const MessageKey& key) {
  std::vector<Serial> serials;
  Cursor cursor(txn_, db_.message);
  const std::string_view prefix = as_text(key.octets());
  for (auto row = cursor.seek(prefix); row && row->key.substr(0, prefix.size()) == prefix;
       row = cursor.next()) {
    if (const auto serial = serial_of_message_row(row->key)) {
      serials.push_back(*serial);
    }
  }
  return serials;
}

std::optional<StoredTrace> Rows::trace(Serial serial) {
  const std::string row_key = serial_key(serial);
  const auto record = txn_.get(db_.trace, row_key);
  if (!record) {
    return std::nullopt;
  }
  Expected<StoredTrace> trace = decode_trace(*record);
  if (!trace) {
    set_aside(db_.trace, kTrace, row_key);
    return std::nullopt;
  }
  return *std::move(trace);
}

void Rows::put_trace(Serial serial, const StoredTrace& trace) {
  encode_trace(trace, buffer_);
  txn_.put(db_.trace, serial_key(serial), buffer_);
}

void Rows::erase_trace(Serial serial) {
  txn_.erase(db_.trace, serial_key(serial));
}

void Rows::bind(std::string_view queue_id, Serial serial) {
  std::string key = queue_prefix(queue_id);
  const std::size_t prefix_size = key.size();
  std::uint32_t incarnation = 0;
  {
    Cursor cursor(txn_, db_.queue);
    for (auto row = cursor.seek(key); row && row->key.substr(0, prefix_size) == key;
         row = cursor.next()) {
      std::string_view suffix = row->key.substr(prefix_size);
      if (get_u32(suffix, incarnation)) {
        ++incarnation;
      }
    }
  }
  put_u32(key, incarnation);
  encode_number(serial, buffer_);
  txn_.put(db_.queue, key, buffer_);
}

void Rows::unbind(std::string_view queue_id, Serial serial) {
  const std::string prefix = queue_prefix(queue_id);
  std::vector<std::string> keys;
  {
    Cursor cursor(txn_, db_.queue);
    for (auto row = cursor.seek(prefix); row && row->key.substr(0, prefix.size()) == prefix;
         row = cursor.next()) {
      const Expected<std::uint64_t> bound = decode_number(row->value);
      if (!bound || *bound == serial) {
        keys.emplace_back(row->key);
      }
    }
  }
  for (const std::string& key : keys) {
    txn_.erase(db_.queue, key);
  }
}

std::vector<Rows::ExpiryRow> Rows::expiries(TimePoint until, std::size_t limit) {
  std::vector<ExpiryRow> rows;
  Cursor cursor(txn_, db_.expiry);
  for (auto row = cursor.first(); row && rows.size() < limit; row = cursor.next()) {
    std::string_view in = row->key;
    std::uint64_t at = 0;
    const auto serial = serial_of_message_row(in.substr(std::min<std::size_t>(in.size(), 8)));
    if (!get_u64(in, at) || from_key_time(at) > until || !serial) {
      break;
    }
    Digest32 key{};
    in.copy(reinterpret_cast<char*>(key.data()), key.size());
    rows.push_back({from_key_time(at), MessageKey::from_octets(key), *serial});
  }
  return rows;
}

void Rows::put_expiry(const ExpiryRow& row) {
  txn_.put(db_.expiry, expiry_key(row), {});
}
void Rows::erase_expiry(const ExpiryRow& row) {
  txn_.erase(db_.expiry, expiry_key(row));
}

std::vector<Rows::DueRow> Rows::reminders(TimePoint until, std::size_t limit) {
  std::vector<DueRow> rows;
  Cursor cursor(txn_, db_.due);
  for (auto row = cursor.first(); row && rows.size() < limit; row = cursor.next()) {
    std::string_view in = row->key;
    std::uint64_t at = 0;
    Serial serial = 0;
    std::uint8_t reminder = 0;
    if (!get_u64(in, at) || from_key_time(at) > until || !get_u64(in, serial) ||
        !get_u8(in, reminder)) {
      break;
    }
    rows.push_back(
        {from_key_time(at), serial, reminder == 0 ? Reminder::unconfirmed : Reminder::ended});
  }
  return rows;
}

void Rows::put_reminder(const DueRow& row) {
  txn_.put(db_.due, due_key(row), {});
}
void Rows::erase_reminder(const DueRow& row) {
  txn_.erase(db_.due, due_key(row));
}

void Rows::put_cursor(std::string_view source, const StoredCursor& cursor) {
  encode_cursor(cursor, buffer_);
  txn_.put(db_.cursor, source, buffer_);
}

Serial Rows::last_trace() {
  const auto row = Cursor(txn_, db_.trace).last();
  return row ? serial_of_trace_row(row->key) : 0;
}

std::vector<Serial> Rows::traces_after(Serial serial) {
  std::vector<Serial> serials;
  Cursor cursor(txn_, db_.trace);
  for (auto row = cursor.seek(serial_key(serial + 1)); row; row = cursor.next()) {
    serials.push_back(serial_of_trace_row(row->key));
  }
  return serials;
}

Serial Rows::filed_serial() {
  const auto value = txn_.get(db_.meta, kSerialName);
  if (!value) {
    return 0;
  }
  const Expected<std::uint64_t> serial = decode_number(*value);
  if (!serial) {
    throw make_store_error(MDB_CORRUPTED, "serial");
  }
  return *serial;
}

void Rows::put_filed_serial(Serial serial) {
  encode_number(serial, buffer_);
  txn_.put(db_.meta, kSerialName, buffer_);
}

std::optional<StoredCursor> read_cursor(const Txn& txn,
                                        const Databases& databases,
                                        std::string_view source) {
  const auto record = txn.get(databases.cursor, source);
  if (!record) {
    return std::nullopt;
  }
  Expected<StoredCursor> cursor = decode_cursor(*record);
  // An unreadable cursor counts as absent: the follower then starts at the head of the file.
  return cursor ? std::optional(*std::move(cursor)) : std::nullopt;
}

}  // namespace mtrk::store
