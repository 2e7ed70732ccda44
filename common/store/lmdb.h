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

// LMDB as RAII, no more than the store needs. The only door to <lmdb.h>.
//
// Rules that are kept here, once:
//  * MDB_NOTLS always, fully synchronous always (no NOSYNC, WRITEMAP …).
//  * Only the store's owner touches the lock file. Whoever may write to it can make others wait for
//    its mutexes, keep pages from being used again, and, since robust mutexes are linked to each
//    other by addresses that stand in the file, write into the memory of who locks them. Readers
//    therefore open the environment without locks (MDB_NOLOCK), and nothing keeps the writer from
//    using pages of their snapshot again. That is seen afterwards: a transaction takes its pages
//    from what was freed two transactions before it or earlier, so the pages of a snapshot are
//    what they were until the second commit after it (ReadTxn::overtaken). What was made of a
//    snapshot counts if it has not been overtaken then, and is made again from a new one otherwise.
//    No mistake of LMDB about pages that change gets further than an error (map_guard.h).
//  * A process has one environment for one path: closing a second one would drop the locks of the
//    first. open() therefore hands out the open one again where that is safe (a reader beside a
//    writer), and refuses what is not.
//  * The writer sets the map size, readers adopt it. When another process has made it larger,
//    beginning a transaction says MDB_MAP_RESIZED; the larger size can be adopted only while this
//    process has no transaction: transactions hold `gate` shared, adopting holds it alone.
//  * MDB_READERS_FULL, for the owner: slots of dead readers are freed, then it is tried once more.
//  * What becomes of the files meanwhile never ends a reader, and never lets a writer commit into
//    the void: map_guard.h, Env::require_current(), and Txn::begin(), which compares the
//    transaction's number (the lock file's) with the data's own.
//  * Two writers never meet, whatever the lock file says: each holds a lock on writer.lock for as
//    long as its transaction lasts. Not on data.mdb: whoever may read a file may keep others from
//    locking it.
//  * Every LMDB code becomes an exception in make_store_error().
// Views that LMDB returns die with their transaction (in a write transaction: with the next write).
namespace mtrk::store {

using Dbi = MDB_dbi;

[[nodiscard]] StoreError make_store_error(int code, std::string_view operation);

// File systems without coherent shared maps or dependable locks, by statfs(2) magic.
[[nodiscard]] bool is_network_file_system(std::uint64_t magic);

class Env {
 public:
  // Readers are those without locks. One that looks for long, and may write to the lock file, can
  // keep its snapshots as the owner does: they are never overtaken.
  enum class Access { read_only, read_as_owner, read_write };
  enum class Missing { fail, create };

  // `map_size` counts for read_write only. Files are made with data 0640 and lock 0600. Root is
  // refused where the folder is another user's (owned_files.h). Fails: StoreUnusable (codes:
  // tracking_writer.h).
  [[nodiscard]] static std::shared_ptr<Env> open(const std::string& path,
                                                 Access access,
                                                 std::uint64_t map_size,
                                                 Missing missing);
  ~Env();
  Env(const Env&) = delete;
  Env& operator=(const Env&) = delete;

  [[nodiscard]] MDB_env* handle() const { return env_; }
  [[nodiscard]] std::shared_mutex& gate() { return gate_; }
  // Fails: StoreGone if the path leads to other files by now, StoreError if data.mdb became
  // shorter. Two or three system calls.
  void require_current();
  // The same for the files as such, as a question.
  [[nodiscard]] bool is_current() const;
  // False once a page could not be had: then nothing that was read is to be used.
  [[nodiscard]] bool sound() const {
    return !unmapped_.load(std::memory_order_relaxed) && (!guard_ || !guard_->damaged());
  }
  // One call of LMDB, guarded if this is a reader; its code.
  template <typename Body>
  int call(Body&& body) {
    return access_ == Access::read_write ? body()
                                         : MapGuard::call(MDB_CORRUPTED, std::forward<Body>(body));
  }
  // Whether a reader may look at these octets: they are within the store's pages.
  [[nodiscard]] bool holds(std::string_view octets) const {
    return !guard_ || guard_->holds(octets, used_.load(std::memory_order_relaxed));
  }
  void lock_writer();  // waits for the transaction of another process
  void unlock_writer();
  // Whether LMDB's locks keep the pages of a snapshot as they are.
  [[nodiscard]] bool keeps_snapshots() const { return access_ != Access::read_only; }
  // Compares the number of a transaction that begins with what the data says.
  enum class TxnKind { read, write };
  [[nodiscard]] bool agrees(std::uint64_t transaction, TxnKind kind);
  // Whether pages of this snapshot may have been used again.
  [[nodiscard]] bool is_overtaken(std::uint64_t transaction);
  // Whether no page in use is there in part. One that is not there at all is a fault when it is
  // looked at, but the rest of such a page reads as zeros: what is sought may not be found.
  [[nodiscard]] bool has_whole_pages() const;
  // The newest snapshot that somebody here has seen: none may be older that begins from now on.
  [[nodiscard]] std::uint64_t newest() const { return newest_.load(std::memory_order_acquire); }
  void has_seen(std::uint64_t transaction);
  // What begins the two pages of which one says what the newest snapshot is: as long as that stays
  // the same, a copy LMDB makes of it is whole. Empty where the mapping is not known. With the gate
  // held.
  using Heads = std::array<char, 512>;
  [[nodiscard]] Heads heads() const;

  void end_writing();           // the writer is gone: another one may open the environment here
  void adopt_map_size();        // waits until no transaction is open in this process
  std::size_t check_readers();  // how many dead slots it freed

  struct Pages {
    std::uint64_t size;       // octets of one page
    std::uint64_t map;        // pages the map has room for
    std::uint64_t high_mark;  // pages ever used: the size of the file
  };
  [[nodiscard]] Pages pages() const;
  // Sees to it that the data file has some room at its end that is written already: a small commit
  // that makes the file longer waits for the file system's records of that, too. Only in a write
  // transaction that has written nothing yet, as nobody else may be adding pages. What cannot be
  // had (disk full, end of the map) is done without.
  void grow_ahead();
  // Pages below the high mark that hold nothing; walks the free list with a read transaction.
  [[nodiscard]] std::uint64_t count_free_pages();
  // Whether all of these are pages of this store, each named once in its row. A writer takes its
  // pages from there without looking.
  [[nodiscard]] bool has_sound_free_list();

 private:
  Env() = default;
  MDB_env* env_ = nullptr;
  Access access_ = Access::read_only;
  bool has_writer_ = false;
  std::uint64_t length_ = 0;  // octets the data file had when last seen; it never gets shorter
  std::unique_ptr<MapGuard> guard_;     // of a reader
  std::atomic<bool> unmapped_{false};   // no map of another size was to be had: good for nothing
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
  UniqueFd writer_lock_;  // a writer's
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
  // Nothing if there is no database of that name.
  [[nodiscard]] std::optional<Dbi> find_database(const char* name);

 protected:
  explicit Txn(Env& env) : env_(env) {}
  ~Txn() = default;
  void begin(unsigned flags);
  Env& env_;
  MDB_txn* txn_ = nullptr;
  std::shared_lock<std::shared_mutex> gate_;
};

// A snapshot. park() gives the snapshot up but keeps the reader slot; renew() takes a fresh one:
// the cheap way to read often.
class ReadTxn : public Txn {
 public:
  explicit ReadTxn(Env& env);
  ~ReadTxn();
  void park() noexcept;
  void renew();
  void keep_databases();  // ends the snapshot; databases found in it stay open in the environment
  // Whether what was read from this snapshot may be of pages that have been used again meanwhile.
  // To be asked after the last look at them. Never, where locks keep the snapshot.
  [[nodiscard]] bool overtaken() const { return env_.is_overtaken(id()); }

 private:
  template <typename Begin>
  void settle(Begin&& begin);
};

// Runs `read(ReadTxn&)` with snapshots until one was not overtaken, and returns what it then did.
// For what takes less time than a few commits. Fails: StoreOvertaken if none was to be had.
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
  bool erase(Dbi dbi, std::string_view key);  // false if it was not there
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
