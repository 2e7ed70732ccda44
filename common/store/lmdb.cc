#include "common/store/lmdb.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

namespace mtrk::store {
namespace {

// Room at the end of the file: what some dozen commits need, and what one can write beside its own
// pages without anybody noticing.
constexpr std::uint64_t kLeastAhead = 256 * 1024;
constexpr std::uint64_t kAheadStep = 512 * 1024;

MDB_val to_val(std::string_view bytes) {
  // LMDB's interface has no const; it does not write through keys and values it is given.
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

void check(int code, std::string_view operation) {
  if (code != MDB_SUCCESS) {
    throw make_store_error(code, operation);
  }
}

MDB_stat stat_of(MDB_txn* txn, Dbi dbi) {
  MDB_stat stat{};
  check(mdb_stat(txn, dbi, &stat), "stat");
  return stat;
}

}  // namespace

StoreError make_store_error(int code, std::string_view operation) {
  return StoreError(code, "store: " + std::string(operation));
}

void Env::adopt_map_size() {
  const std::unique_lock alone(gate_);
  check(mdb_env_set_mapsize(env_, 0), "adopt map size");
}

std::size_t Env::check_readers() {
  int dead = 0;
  check(mdb_reader_check(env_, &dead), "check readers");
  return static_cast<std::size_t>(dead);
}

Env::Pages Env::pages() const {
  MDB_stat stat{};
  MDB_envinfo info{};
  check(mdb_env_stat(env_, &stat), "stat");
  check(mdb_env_info(env_, &info), "info");
  return {stat.ms_psize, info.me_mapsize / stat.ms_psize, info.me_last_pgno + 1};
}

void Env::grow_ahead() {
  const Pages now = pages();
  const std::uint64_t used = now.high_mark * now.size;
  if (used + kLeastAhead <= length_) {
    return;
  }
  int file = -1;
  struct stat data {};
  check(mdb_env_get_fd(env_, &file), "get file");
  if (::fstat(file, &data) != 0) {
    return;
  }
  length_ = static_cast<std::uint64_t>(data.st_size);
  const std::uint64_t wanted = std::min(used + kLeastAhead + kAheadStep, now.map * now.size);
  static constexpr std::array<char, 64 * 1024> kZeros{};
  while (length_ < wanted) {
    const std::size_t size = std::min<std::uint64_t>(kZeros.size(), wanted - length_);
    const ssize_t written = ::pwrite(file, kZeros.data(), size, static_cast<off_t>(length_));
    if (written <= 0) {
      return;
    }
    length_ += static_cast<std::uint64_t>(written);
  }
}

std::uint64_t Env::count_free_pages() {
  // Database 0 is LMDB's free list: transaction id → count, page numbers (as mdb_stat -f reads it).
  constexpr Dbi kFreeList = 0;
  const ReadTxn txn(*this);
  Cursor cursor(txn, kFreeList);
  std::uint64_t count = 0;
  for (auto row = cursor.first(); row; row = cursor.next()) {
    std::size_t pages = 0;
    if (row->value.size() >= sizeof(pages)) {
      row->value.copy(reinterpret_cast<char*>(&pages), sizeof(pages));
    }
    count += pages;
  }
  return count;
}

void Txn::begin(Env& env, unsigned flags) {
  gate_ = std::shared_lock(env.gate());
  int code = mdb_txn_begin(env.handle(), nullptr, flags, &txn_);
  if (code == MDB_MAP_RESIZED) {
    gate_.unlock();
    env.adopt_map_size();
    gate_.lock();
    code = mdb_txn_begin(env.handle(), nullptr, flags, &txn_);
  } else if (code == MDB_READERS_FULL) {
    env.check_readers();
    code = mdb_txn_begin(env.handle(), nullptr, flags, &txn_);
  }
  check(code, "begin");
}

std::optional<std::string_view> Txn::get(Dbi dbi, std::string_view key) const {
  MDB_val name = to_val(key);
  MDB_val value{};
  const int code = mdb_get(txn_, dbi, &name, &value);
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  check(code, "get");
  return to_view(value);
}

std::uint64_t Txn::entries(Dbi dbi) const {
  return stat_of(txn_, dbi).ms_entries;
}

std::uint64_t Txn::tree_pages(Dbi dbi) const {
  const MDB_stat stat = stat_of(txn_, dbi);
  return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

std::optional<Dbi> Txn::find_database(const char* name) {
  Dbi dbi = 0;
  const int code = mdb_dbi_open(txn_, name, 0, &dbi);
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  check(code, "open database");
  return dbi;
}

ReadTxn::~ReadTxn() {
  mdb_txn_abort(txn_);
}

void ReadTxn::park() noexcept {
  mdb_txn_reset(txn_);
  gate_.unlock();
}

void ReadTxn::renew() {
  gate_.lock();
  int code = mdb_txn_renew(txn_);
  if (code == MDB_MAP_RESIZED) {
    gate_.unlock();
    env_.adopt_map_size();
    gate_.lock();
    code = mdb_txn_renew(txn_);
  }
  if (code != MDB_SUCCESS) {
    gate_.unlock();
    throw make_store_error(code, "renew");
  }
}

void ReadTxn::keep_databases() {
  check(mdb_txn_commit(std::exchange(txn_, nullptr)), "open databases");
}

WriteTxn::~WriteTxn() {
  mdb_txn_abort(txn_);
}

Dbi WriteTxn::make_database(const char* name) {
  Dbi dbi = 0;
  check(mdb_dbi_open(txn_, name, MDB_CREATE, &dbi), "create database");
  wrote_ = true;
  return dbi;
}

void WriteTxn::put(Dbi dbi, std::string_view key, std::string_view value) {
  MDB_val name = to_val(key);
  MDB_val data = to_val(value);
  check(mdb_put(txn_, dbi, &name, &data, 0), "put");
  wrote_ = true;
}

bool WriteTxn::erase(Dbi dbi, std::string_view key) {
  MDB_val name = to_val(key);
  const int code = mdb_del(txn_, dbi, &name, nullptr);
  if (code == MDB_NOTFOUND) {
    return false;
  }
  check(code, "erase");
  wrote_ = true;
  return true;
}

void WriteTxn::commit() {
  // Whatever it returns, the transaction is gone afterwards.
  check(mdb_txn_commit(std::exchange(txn_, nullptr)), "commit");
}

Cursor::Cursor(const Txn& txn, Dbi dbi) {
  check(mdb_cursor_open(txn.handle(), dbi, &cursor_), "open cursor");
}

std::optional<Cursor::Row> Cursor::seek(std::string_view key) {
  return move(key, MDB_SET_RANGE);
}

void Cursor::renew(const ReadTxn& txn) {
  check(mdb_cursor_renew(txn.handle(), cursor_), "renew cursor");
}

std::optional<Cursor::Row> Cursor::move(std::string_view key, MDB_cursor_op operation) {
  MDB_val name = to_val(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &name, &value, operation);
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  check(code, "read");
  return Row{to_view(name), to_view(value)};
}

}  // namespace mtrk::store
