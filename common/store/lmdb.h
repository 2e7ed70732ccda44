#pragma once

#include "common/base/unique_fd.h"
#include "common/store/map_guard.h"
#include "common/store/store_error.h"

#include <lmdb.h>

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

// These classes wrap LMDB with RAII, as far as the store needs it. No other header includes
// <lmdb.h>.
//
// These rules are enforced here and nowhere else:
//  * MDB_NOTLS is always set, and commits are always fully synchronous (no NOSYNC, WRITEMAP …).
//  * Only the owner of the store touches the lock file. A process that may write to it can
//    make others wait for its mutexes, keep pages from being reused, and even write into the memory
//    of any process that locks them, because robust mutexes are linked by addresses in the file.
//    Readers therefore open the environment without locks (MDB_NOLOCK), so nothing keeps the writer
//    from reusing the pages of their snapshot. This is detected afterwards (ReadTxn::overtaken()):
//    a transaction takes its pages from those freed two or more transactions earlier, so the pages
//    of a snapshot stay unchanged until the second commit after it. A result counts only if its
//    snapshot has not been overtaken by then; otherwise it is made again from a new snapshot. If
//    LMDB stumbles over pages that change, the result is never worse than an error (map_guard.h).
//  * A process has one environment for each path, because closing a second one would drop the locks
//    of the first. open() therefore returns the open one again where that is safe (a reader beside
//    a writer), and refuses what is not.
//  * The writer sets the size of the map, and readers adopt it. If another process has enlarged it,
//    beginning a transaction returns MDB_MAP_RESIZED. The new size can be adopted only while this
//    process has no transaction: transactions hold gate() shared, adopting holds it exclusively.
//  * On MDB_READERS_FULL, the owner frees the slots of dead readers and tries once more.
//  * Whatever happens to the files meanwhile never kills a reader, and never lets a writer commit
//    to files that are gone: see map_guard.h, Env::require_current(), and Txn::begin(), which
//    compares the number of the transaction (from the lock file) with that in the data.
//  * Two writers never meet, whatever the lock file says: each holds a lock on writer.lock while
//    its transaction lasts. The lock is not on data.mdb, because whoever may read a file can keep
//    others from locking it.
//  * make_store_error() turns every code of LMDB into an exception.
// Views that LMDB returns are valid until their transaction ends; those from a write transaction,
// until its next write.
namespace mtrk::store {

using Dbi = MDB_dbi;

[[nodiscard]] StoreError make_store_error(int code, std::string_view operation);

// Returns whether this is a file system without coherent shared maps or dependable locks. `magic`
// is that of statfs(2).
[[nodiscard]] bool is_network_file_system(std::uint64_t magic);

class Env {
 public:
  // `read_only` readers hold no locks. A `read_as_owner` reader may write to the lock file, so it
  // can run for long: its snapshots are kept as the owner's are and never overtaken.
  enum class Access { read_only, read_as_owner, read_write };
  enum class Missing { fail, create };

  // Opens the environment. `map_size` (in octets) is used for read_write only. The data file is
  // created with mode 0640, the lock file with 0600. Root is refused if the folder belongs to
  // another user (owned_files.h). Throws StoreUnusable (for its codes see tracking_writer.h).
  [[nodiscard]] static std::shared_ptr<Env> open(const std::string& path,
                                                 Access access,
                                                 std::uint64_t map_size,
                                                 Missing missing);
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  [[nodiscard]] MDB_env* handle() const { return env_; }
  [[nodiscard]] std::shared_mutex& gate() { return gate_; }
  // Throws StoreGone if the path now leads to other files, and StoreError if data.mdb became
  // shorter. Costs two or three system calls.
  void require_current();
  // Returns whether the path still leads to the open files.
  [[nodiscard]] bool is_current() const;
  // Returns false once a page could not be read. Nothing that was read may be used then.
  [[nodiscard]] bool sound() const {
    return !unmapped_.load(std::memory_order_relaxed) && (!guard_ || !guard_->damaged());
  }
  // Makes one call of LMDB, guarded if this is a reader, and returns its code.
  template <typename Body>
  int call(Body&& body) {
    return access_ == Access::read_write ? body()
                                         : MapGuard::call(MDB_CORRUPTED, std::forward<Body>(body));
  }
  // Returns whether a reader may look at these octets, because they are within the pages of the
  // store.
  [[nodiscard]] bool holds(std::string_view octets) const {
    return !guard_ || guard_->holds(octets, used_.load(std::memory_order_relaxed));
  }
  void lock_writer();  // waits for the transaction of another process
  void unlock_writer();
  // Returns whether the locks of LMDB keep the pages of a snapshot unchanged.
  [[nodiscard]] bool keeps_snapshots() const { return access_ != Access::read_only; }
  // Returns whether the number of a transaction that begins agrees with the data.
  enum class TxnKind { read, write };
  [[nodiscard]] bool agrees(std::uint64_t transaction, TxnKind kind);
  // Returns whether pages of this snapshot may have been reused.
  [[nodiscard]] bool is_overtaken(std::uint64_t transaction);
  // Returns whether the file holds every used page completely or not at all. Access to a page that
  // is missing completely is a fault, but the missing part of a page reads as zeros, so that a
  // look-up may miss what is there.
  [[nodiscard]] bool has_whole_pages() const;
  // Returns the newest snapshot seen in this process. A transaction that begins later must not be
  // older.
  [[nodiscard]] std::uint64_t newest() const { return newest_.load(std::memory_order_acquire); }
  void has_seen(std::uint64_t transaction);
  // Returns the first octets of the two meta pages, one of which names the newest snapshot. As long
  // as they stay the same, a copy that LMDB makes of that page is complete. The result is empty if
  // the mapping is not known. The caller must hold the gate.
  using Heads = std::array<char, 512>;
  [[nodiscard]] Heads heads() const;

  void end_writing();           // allows another writer to open the environment in this process
  void adopt_map_size();        // waits until no transaction is open in this process
  std::size_t check_readers();  // returns the number of dead slots that it freed

  struct Pages {
    std::uint64_t size;       // octets of one page
    std::uint64_t map;        // pages that fit into the map
    std::uint64_t high_mark;  // pages ever used, which is the size of the file
  };
  [[nodiscard]] Pages pages() const;
  // Makes sure that the end of the data file has some room that is already written, because a small
  // commit that makes the file longer also waits for the file system's metadata. To be called only
  // in a write transaction that has written nothing yet, as nobody else may be adding pages then.
  // If there is no room (the disk is full, the map ends), nothing is done.
  void grow_ahead();
  // Returns the number of empty pages below the high mark. Walks the free list with a read
  // transaction.
  [[nodiscard]] std::uint64_t count_free_pages();
  // Returns whether all free pages are pages of this store, and each is named once in its row. A
  // writer takes its pages from the free list without checking them.
  [[nodiscard]] bool has_sound_free_list();

 private:
  Env() = default;
  MDB_env* env_ = nullptr;
  Access access_ = Access::read_only;
  bool has_writer_ = false;
  std::uint64_t length_ = 0;  // size of the data file in octets when last seen; it never shrinks
  std::unique_ptr<MapGuard> guard_;  // only for a reader
  // No map of the new size was available, so the environment is unusable.
  std::atomic<bool> unmapped_{false};
  std::atomic<std::uint64_t> used_{0};  // octets of data.mdb that hold pages
  std::atomic<std::uint64_t> newest_{0};
  std::uint64_t page_size_ = 4096;
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
  };
  struct Files {
    FileId data, lock;
    bool operator==(const Files&) const = default;
  };
  [[nodiscard]] Files files_at_path() const;
  std::string path_;
  Files files_;
  UniqueFd writer_lock_;  // only for a writer
  std::shared_mutex gate_;
};

class Txn {
 public:
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  [[nodiscard]] MDB_txn* handle() const { return txn_; }
  [[nodiscard]] Env& env() const { return env_; }
  [[nodiscard]] std::uint64_t id() const { return mdb_txn_id(txn_); }
  [[nodiscard]] std::optional<std::string_view> get(Dbi dbi, std::string_view key) const;
  [[nodiscard]] std::uint64_t entries(Dbi dbi) const;
  [[nodiscard]] std::uint64_t tree_pages(Dbi dbi) const;
  // Returns nothing if there is no database of that name.
  [[nodiscard]] std::optional<Dbi> find_database(const char* name);

 protected:
  explicit Txn(Env& env) : env_(env) {}
  ~Txn() = default;
  void begin(unsigned flags);
  Env& env_;
  MDB_txn* txn_ = nullptr;
  std::shared_lock<std::shared_mutex> gate_;
};

// A ReadTxn is a snapshot. park() releases the snapshot but keeps the slot in the reader table, and
// renew() takes a new snapshot: this is cheap for frequent reading.
class ReadTxn : public Txn {
 public:
  explicit ReadTxn(Env& env);
  ~ReadTxn();
  void park() noexcept;
  void renew();
  // Ends the snapshot, and keeps the databases found in it open in the environment.
  void keep_databases();
  // Returns whether pages that were read from this snapshot may have been reused in the meantime.
  // To be asked after the last look at them. Always false if locks keep the snapshot.
  [[nodiscard]] bool overtaken() const { return env_.is_overtaken(id()); }

 private:
  template <typename Begin>
  void settle(Begin&& begin);
};

// Runs `read(ReadTxn&)` with new snapshots until one was not overtaken, and returns or throws what
// `read` then did. It is meant for work that takes less time than a few commits. Throws
// StoreOvertaken if every snapshot was overtaken.
template <typename Read>
auto read_whole(Env& env, Read&& read) {
  constexpr int kSnapshots = 100;
  for (int i = 0; i < kSnapshots; ++i) {
    ReadTxn txn(env);
    try {
      auto result = read(txn);
      if (!txn.overtaken()) {
        return result;
      }
    } catch (const std::runtime_error&) {  // StoreError or StoreUnusable
      if (!txn.overtaken()) {
        throw;
      }
    }
  }
  throw StoreOvertaken();
}

class WriteTxn : public Txn {
 public:
  explicit WriteTxn(Env& env);
  ~WriteTxn();
  [[nodiscard]] Dbi make_database(const char* name);
  void put(Dbi dbi, std::string_view key, std::string_view value);
  bool erase(Dbi dbi, std::string_view key);  // returns false if there was no such row
  void commit();
  [[nodiscard]] bool wrote() const { return wrote_; }

 private:
  bool wrote_ = false;
};

class Cursor {
 public:
  struct Row {
    std::string_view key;
    std::string_view value;
  };
  Cursor(const Txn& txn, Dbi dbi);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  [[nodiscard]] std::optional<Row> seek(std::string_view key);  // the first row at or after `key`
  [[nodiscard]] std::optional<Row> first() { return move({}, MDB_FIRST); }
  [[nodiscard]] std::optional<Row> last() { return move({}, MDB_LAST); }
  [[nodiscard]] std::optional<Row> next() { return move({}, MDB_NEXT); }
  void renew(const ReadTxn& txn);  // after txn.renew()

 private:
  std::optional<Row> move(std::string_view key, MDB_cursor_op operation);
  Env& env_;
  MDB_cursor* cursor_ = nullptr;
};

}  // namespace mtrk::store
