#pragma once

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <string>
#include <string_view>

// Keeps a reading process alive whatever becomes of the files it has mapped.
//
// LMDB's data and lock file are mappings. When somebody cuts one off, or the disk cannot read a
// page, the next access is SIGBUS; when bits of it flip, LMDB may follow a wild pointer (SIGSEGV)
// or fail an assertion (SIGABRT). Each of them ends a process that does nothing about it.
//
//  * call() is for one call of LMDB: what goes wrong inside it comes back as a value. There are
//    only C frames in between, which hold no resources but the environment's.
//  * Outside of it, where values are looked at, a page of a guarded mapping that cannot be had
//    becomes one of zeros, and the guard says so from then on. Nothing that was read since the last
//    look at damaged() may be used; the environment is good for nothing but being closed.
//
// For readers. A writer that went on after either could commit what it made of zeros: it has to end
// instead, which is why the one of mtrk-milter is a process of its own
// (milter/store_process/side.h).
//
// Handlers are installed once a process, with the first guard, and pass on what is not theirs to
// what was there before; under AddressSanitizer they need its default handle_segv=1 or less.
namespace mtrk::store {

class MapGuard {
 public:
  // Guards what this process has mapped of data.mdb and lock.mdb in `directory`, until it ends.
  // Such mappings must not be gone before it: close the environment last. Nothing is guarded where
  // /proc is not mounted, or more than kMost mappings are guarded already.
  explicit MapGuard(const std::string& directory);
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  [[nodiscard]] bool damaged() const { return damaged_.load(std::memory_order_relaxed); }
  // Where data.mdb is mapped; null if that is not known.
  [[nodiscard]] const char* data() const { return data_begin_; }
  // Whether these octets lie in the first `length` of data.mdb as it is mapped.
  [[nodiscard]] bool holds(std::string_view octets, std::size_t length) const {
    return data_begin_ == nullptr ||
           (octets.data() >= data_begin_ && octets.size() <= length &&
            octets.data() - data_begin_ <= static_cast<std::ptrdiff_t>(length - octets.size()));
  }

  // Runs `body`, a call of LMDB and nothing else; `otherwise` if it ended by a fault. Does not
  // nest, and works from the first prepare() on, or the first guard.
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
  // For mdb_env_set_assert(): ends the call() under way, or the process where there is none.
  [[noreturn]] static void assertion_failed(const char* what);

 private:
  static void arm(sigjmp_buf* target);
  static void disarm();

  std::atomic<bool> damaged_{false};
  const char* data_begin_ = nullptr;
};

}  // namespace mtrk::store
