#include "common/store/lmdb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

namespace mtrk::store {
namespace {

// This is the room at the end of the file: enough for some dozen commits, and little enough to be
// written together with a commit's own pages without a noticeable delay.
constexpr std::uint64_t kLeastAhead = 256 * 1024;
constexpr std::uint64_t kAheadStep = 512 * 1024;

MDB_val to_val(std::string_view bytes) {
  // LMDB's interface has no const, but it does not write to keys and values that it is given.
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

// This is called after each call of a reader: a result that was read from a page of zeros does not
// count.
void check_sound(const Env& env, int code, std::string_view operation) {
  check(env.sound() ? code : MDB_CORRUPTED, operation);
}

MDB_stat stat_of(const Txn& txn, Dbi dbi) {
  MDB_stat stat{};
  const int code = txn.env().call([&] { return mdb_stat(txn.handle(), dbi, &stat); });
  check_sound(txn.env(), code, "stat");
  return stat;
}

}  // namespace

StoreError make_store_error(int code, std::string_view operation) {
  return StoreError(code, "store: " + std::string(operation));
}

void Env::adopt_map_size() {
  const std::unique_lock alone(gate_);
  check(sound() ? MDB_SUCCESS : MDB_CORRUPTED, "adopt map size");
  const bool guarded = guard_ != nullptr;
  guard_.reset();  // the mapping will change
  const int code = call([&] { return mdb_env_set_mapsize(env_, 0); });
  // The size may be rubbish, too, and LMDB has given up the old map by then.
  if (code != MDB_SUCCESS) {
    unmapped_ = true;
    throw make_store_error(access_ == Access::read_write ? code : MDB_CORRUPTED, "adopt map size");
  }
  if (guarded) {
    guard_ = std::make_unique<MapGuard>(path_);
  }
}

std::size_t Env::check_readers() {
  if (!keeps_snapshots()) {
    return 0;
  }
  int dead = 0;
  const int code = call([&] { return mdb_reader_check(env_, &dead); });
  check_sound(*this, code, "check readers");
  return static_cast<std::size_t>(dead);
}

Env::Pages Env::pages() const {
  MDB_stat stat{};
  MDB_envinfo info{};
  Env& self = const_cast<Env&>(*this);  // only a flag of the guard may change
  check_sound(*this, self.call([&] { return mdb_env_stat(env_, &stat); }), "stat");
  check_sound(*this, self.call([&] { return mdb_env_info(env_, &info); }), "info");
  return {stat.ms_psize, info.me_mapsize / stat.ms_psize, info.me_last_pgno + 1};
}

Env::Files Env::files_at_path() const {
  const auto id_of = [this](const char* name) {
    struct stat status {};
    return ::stat((path_ + name).c_str(), &status) == 0 ? FileId{status.st_dev, status.st_ino}
                                                        : FileId{};
  };
  return {id_of("/data.mdb"), keeps_snapshots() ? id_of("/lock.mdb") : FileId{}};
}

bool Env::is_current() const {
  return files_at_path() == files_;
}

void Env::require_current() {
  if (!is_current()) {
    throw StoreGone("store: " + path_ + " leads to other files");
  }
  int file = -1;
  struct stat data {};
  check(mdb_env_get_fd(env_, &file), "get file");
  if (::fstat(file, &data) != 0) {
    throw make_store_error(errno, "data.mdb");
  }
  if (static_cast<std::uint64_t>(data.st_size) < length_) {
    throw make_store_error(MDB_CORRUPTED, "data.mdb was cut off");
  }
  length_ = static_cast<std::uint64_t>(data.st_size);
}

void Env::lock_writer() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  while (::fcntl(writer_lock_.get(), F_OFD_SETLKW, &whole) != 0) {
    if (errno != EINTR) {
      throw make_store_error(errno, "lock writer.lock");
    }
  }
}

void Env::unlock_writer() {
  struct flock whole {};
  whole.l_type = F_UNLCK;
  whole.l_whence = SEEK_SET;
  ::fcntl(writer_lock_.get(), F_OFD_SETLK, &whole);
}

bool Env::agrees(std::uint64_t transaction, TxnKind kind) {
  MDB_envinfo info{};
  if (call([&] { return mdb_env_info(env_, &info); }) != MDB_SUCCESS) {
    return false;
  }
  if (kind == TxnKind::write) {
    return info.me_last_txnid + 1 == transaction;
  }
  used_.store((info.me_last_pgno + 1) * page_size_, std::memory_order_relaxed);
  if (access_ == Access::read_write || info.me_last_txnid == transaction) {
    return true;
  }
  // The data is one transaction ahead of the lock file while a commit ends, or if a writer was
  // killed at that moment.
  return access_ == Access::read_as_owner && info.me_last_txnid == transaction + 1;
}

bool Env::is_overtaken(std::uint64_t transaction) {
  if (access_ != Access::read_only) {
    return false;
  }
  // This keeps all earlier reads of the snapshot before the read of the number.
  std::atomic_thread_fence(std::memory_order_acquire);
  MDB_envinfo info{};
  if (call([&] { return mdb_env_info(env_, &info); }) != MDB_SUCCESS) {
    return true;  // the next snapshot will show what is wrong
  }
  return info.me_last_txnid < transaction || info.me_last_txnid > transaction + 1;
}

bool Env::has_whole_pages() const {
  int file = -1;
  struct stat data {};
  if (mdb_env_get_fd(env_, &file) != MDB_SUCCESS || ::fstat(file, &data) != 0) {
    return false;
  }
  const auto length = static_cast<std::uint64_t>(data.st_size);
  return length % page_size_ == 0 || length >= used_.load(std::memory_order_relaxed);
}

void Env::has_seen(std::uint64_t transaction) {
  std::uint64_t before = newest_.load(std::memory_order_relaxed);
  while (before < transaction &&
         !newest_.compare_exchange_weak(before, transaction, std::memory_order_release)) {
  }
}

Env::Heads Env::heads() const {
  Heads heads{};
  if (guard_ && guard_->data() != nullptr) {
    static constexpr std::size_t kEach = std::tuple_size_v<Heads> / 2;
    std::memcpy(heads.data(), guard_->data(), kEach);
    std::memcpy(heads.data() + kEach, guard_->data() + page_size_, kEach);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return heads;
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
  // Database 0 is the free list of LMDB. It maps a transaction id to a count and page numbers (as
  // mdb_stat -f reads it).
  constexpr Dbi kFreeList = 0;
  return read_whole(*this, [](const ReadTxn& txn) {
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
  });
}

bool Env::has_sound_free_list() {
  constexpr Dbi kFreeList = 0;
  constexpr std::size_t kFirstPage = 2;  // after the two meta pages
  const ReadTxn txn(*this);
  const std::uint64_t pages_there = pages().high_mark;
  Cursor cursor(txn, kFreeList);
  for (auto row = cursor.first(); row; row = cursor.next()) {
    // The value is a count and then that many page numbers, the highest first.
    std::vector<std::size_t> numbers(row->value.size() / sizeof(std::size_t));
    row->value.copy(reinterpret_cast<char*>(numbers.data()), numbers.size() * sizeof(std::size_t));
    if (numbers.empty() || numbers[0] >= numbers.size()) {
      return false;
    }
    std::uint64_t above = pages_there;
    for (std::size_t i = 1; i <= numbers[0]; ++i) {
      if (numbers[i] < kFirstPage || numbers[i] >= above) {
        return false;
      }
      above = numbers[i];
    }
  }
  return true;
}

void Txn::begin(unsigned flags) {
  const auto attempt = [&] {
    return env_.call([&] { return mdb_txn_begin(env_.handle(), nullptr, flags, &txn_); });
  };
  if (!gate_.owns_lock()) {
    gate_ = std::shared_lock(env_.gate());
  }
  check_sound(env_, MDB_SUCCESS, "begin");
  int code = attempt();
  if (code == MDB_MAP_RESIZED) {
    gate_.unlock();
    env_.adopt_map_size();
    gate_.lock();
    code = attempt();
  } else if (code == MDB_READERS_FULL) {
    env_.check_readers();
    code = attempt();
  }
  check_sound(env_, code, "begin");
}

std::optional<std::string_view> Txn::get(Dbi dbi, std::string_view key) const {
  MDB_val name = to_val(key);
  MDB_val value{};
  const int code = env_.call([&] { return mdb_get(txn_, dbi, &name, &value); });
  check_sound(env_, code == MDB_NOTFOUND ? MDB_SUCCESS : code, "get");
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  if (!env_.holds(to_view(value))) {
    throw make_store_error(MDB_CORRUPTED, "get");
  }
  return to_view(value);
}

std::uint64_t Txn::entries(Dbi dbi) const {
  return stat_of(*this, dbi).ms_entries;
}

std::uint64_t Txn::tree_pages(Dbi dbi) const {
  const MDB_stat stat = stat_of(*this, dbi);
  return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

std::optional<Dbi> Txn::find_database(const char* name) {
  Dbi dbi = 0;
  const int code = env_.call([&] { return mdb_dbi_open(txn_, name, 0, &dbi); });
  check_sound(env_, code == MDB_NOTFOUND ? MDB_SUCCESS : code, "open database");
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  return dbi;
}

namespace {

// So often a snapshot is taken again because a commit came in between. After that the files do not
// belong to each other.
constexpr int kSnapshots = 8;

}  // namespace

ReadTxn::ReadTxn(Env& env) : Txn(env) {
  gate_ = std::shared_lock(env.gate());
  try {
    settle([this] { begin(MDB_RDONLY); });
  } catch (...) {
    mdb_txn_abort(txn_);
    throw;
  }
}

// Calls `begin` until the snapshot is complete and agrees with the data.
template <typename Begin>
void ReadTxn::settle(Begin&& begin) {
  std::uint64_t newest = env_.newest();
  Env::Heads before = env_.heads();
  begin();
  for (int i = 0; i < kSnapshots; ++i) {
    if (env_.keeps_snapshots()) {
      if (env_.agrees(id(), Env::TxnKind::read)) {
        return;
      }
    } else {
      if (id() < newest) {
        throw make_store_error(MDB_CORRUPTED, "data.mdb went back to what it was");
      }
      if (env_.agrees(id(), Env::TxnKind::read) && env_.heads() == before) {
        env_.has_seen(id());
        check_sound(env_, MDB_SUCCESS, "begin");
        return;
      }
    }
    newest = env_.newest();
    before = env_.heads();
    mdb_txn_reset(txn_);
    check_sound(env_, env_.call([&] { return mdb_txn_renew(txn_); }), "renew");
  }
  if (env_.keeps_snapshots()) {
    throw make_store_error(MDB_CORRUPTED, "lock.mdb is not that of data.mdb");
  }
  throw StoreOvertaken();
}

ReadTxn::~ReadTxn() {
  mdb_txn_abort(txn_);
}

void ReadTxn::park() noexcept {
  mdb_txn_reset(txn_);
  gate_.unlock();
}

void ReadTxn::renew() {
  const auto attempt = [&] { return env_.call([&] { return mdb_txn_renew(txn_); }); };
  gate_.lock();
  try {
    settle([&] {
      check_sound(env_, MDB_SUCCESS, "renew");
      int code = attempt();
      if (code == MDB_MAP_RESIZED) {
        gate_.unlock();
        env_.adopt_map_size();
        gate_.lock();
        code = attempt();
      }
      check_sound(env_, code, "renew");
    });
  } catch (...) {
    if (gate_.owns_lock()) {
      gate_.unlock();
    }
    throw;
  }
}

void ReadTxn::keep_databases() {
  check(mdb_txn_commit(std::exchange(txn_, nullptr)), "open databases");
}

WriteTxn::WriteTxn(Env& env) : Txn(env) {
  env.lock_writer();
  try {
    begin(0);
    if (!env.agrees(id(), Env::TxnKind::write)) {
      mdb_txn_abort(std::exchange(txn_, nullptr));
      throw make_store_error(MDB_CORRUPTED, "lock.mdb is not that of data.mdb");
    }
  } catch (...) {
    env.unlock_writer();
    throw;
  }
}

WriteTxn::~WriteTxn() {
  mdb_txn_abort(txn_);
  env_.unlock_writer();
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

Cursor::Cursor(const Txn& txn, Dbi dbi) : env_(txn.env()) {
  const int code = env_.call([&] { return mdb_cursor_open(txn.handle(), dbi, &cursor_); });
  check_sound(env_, code, "open cursor");
}

Cursor::~Cursor() {
  mdb_cursor_close(cursor_);
}

std::optional<Cursor::Row> Cursor::seek(std::string_view key) {
  return move(key, MDB_SET_RANGE);
}

void Cursor::renew(const ReadTxn& txn) {
  const int code = env_.call([&] { return mdb_cursor_renew(txn.handle(), cursor_); });
  check_sound(env_, code, "renew cursor");
}

std::optional<Cursor::Row> Cursor::move(std::string_view key, MDB_cursor_op operation) {
  MDB_val name = to_val(key);
  MDB_val value{};
  const int code = env_.call([&] { return mdb_cursor_get(cursor_, &name, &value, operation); });
  check_sound(env_, code == MDB_NOTFOUND ? MDB_SUCCESS : code, "read");
  if (code == MDB_NOTFOUND) {
    return std::nullopt;
  }
  if (!env_.holds(to_view(value)) || !env_.holds(to_view(name))) {
    throw make_store_error(MDB_CORRUPTED, "read");
  }
  return Row{to_view(name), to_view(value)};
}

}  // namespace mtrk::store
