#pragma once

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <string>
#include <string_view>

// A MapGuard keeps a reading process alive, whatever happens to the files it has mapped.
//
// The data file and the lock file of LMDB are mapped into memory. If somebody truncates one, or the
// disk cannot read a page, the next access raises SIGBUS. If bits of it flip, LMDB may follow a
// wild pointer (SIGSEGV) or fail an assertion (SIGABRT). Each of these signals ends a process that
// does not handle it.
//
//  * call() makes one call of LMDB and returns as a value what goes wrong inside it. There are only
//    C frames in between, which hold no resources except those of the environment.
//  * Outside of call(), where values are looked at, a page of a guarded mapping that cannot be read
//    becomes a page of zeros, and damaged() is true from then on. Nothing that was read since the
//    last check of damaged() may be used, and the environment can only be closed.
//
// This is for readers. A writer that continued after either could commit what it made of zeros. It
// must end instead, which is why the writer of mtrk-milter is a process of its own
// (milter/store_process/side.h).
//
// Signal handlers are installed once per process, with the first guard. They pass on foreign
// signals to the handlers that were there before. Under AddressSanitizer they need its default
// handle_segv=1 or less.
namespace mtrk::store {

class MapGuard {
 public:
  // Guards the mappings that this process has of data.mdb and lock.mdb in `directory`, until the
  // guard ends. The mappings must outlive the guard: close the environment last. Nothing is guarded
  // if /proc is not mounted, or if more than kMost mappings are guarded already.
  explicit MapGuard(const std::string& directory);
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  [[nodiscard]] bool damaged() const { return damaged_.load(std::memory_order_relaxed); }
  // Returns where data.mdb is mapped, or null if that is not known.
  [[nodiscard]] const char* data() const { return data_begin_; }
  // Returns whether these octets lie in the first `length` octets of data.mdb as it is mapped.
  [[nodiscard]] bool holds(std::string_view octets, std::size_t length) const {
    return data_begin_ == nullptr ||
           (octets.data() >= data_begin_ && octets.size() <= length &&
            octets.data() - data_begin_ <= static_cast<std::ptrdiff_t>(length - octets.size()));
  }

  // Runs `body`, which must be one call of LMDB and nothing else, and returns its result, or
  // `otherwise` if it ended by a fault. Calls must not be nested. This works after the first
  // prepare() or the first guard.
  static void prepare();
  template <typename Body>
  static int call(int otherwise, Body&& body) {
    sigjmp_buf here;
    if (sigsetjmp(here, 0) != 0) {
      disarm();
      return otherwise;
    }
    arm(&here);
    const int result = body();
    disarm();
    return result;
  }

  static constexpr std::size_t kMost = 16;
  // Serves mdb_env_set_assert(): ends the call() that is running, or the process if there is none.
  [[noreturn]] static void assertion_failed(const char* what);

 private:
  static void arm(sigjmp_buf* target);
  static void disarm();

  std::atomic<bool> damaged_{false};
  const char* data_begin_ = nullptr;
};

}  // namespace mtrk::store
