#include "common/store/map_guard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>

namespace mtrk::store {
namespace {

// These are the guarded mappings in a form that a signal handler may read. A slot is in use from
// the moment its end is set, and free again once its end is 0.
struct Guarded {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::atomic<bool>*> damaged{nullptr};
  std::atomic<int> protection{0};
};
std::array<Guarded, MapGuard::kMost> guarded_maps;
std::mutex guarded_mutex;  // protects adding and removing

struct sigaction bus_before;
struct sigaction segv_before;

thread_local sigjmp_buf* call_under_way = nullptr;

// Passes on a signal that does not concern the guard, as if this handler did not exist.
void pass_on(int signal) {
  ::sigaction(signal, signal == SIGBUS ? &bus_before : &segv_before, nullptr);
}

bool replace_page(std::uintptr_t address) {
  static const auto kPage = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (Guarded& map : guarded_maps) {
    if (address >= map.begin.load() && address < map.end.load()) {
      map.damaged.load()->store(true, std::memory_order_relaxed);
      void* const page = reinterpret_cast<void*>(address / kPage * kPage);
      return ::mmap(page, kPage, map.protection.load(), MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) != MAP_FAILED;
    }
  }
  return false;
}

void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  if (call_under_way != nullptr) {
    siglongjmp(*call_under_way, 1);
  }
  if (signal == SIGBUS && replace_page(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    errno = error;
    return;  // the access is repeated
  }
  pass_on(signal);
}

void install_handlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    // The signal is not deferred, because a jump may leave the handler, and that does not restore
    // the mask.
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &bus_before);
    ::sigaction(SIGSEGV, &action, &segv_before);
  });
}

void guard_mapping(std::uintptr_t begin,
                   std::uintptr_t end,
                   int protection,
                   std::atomic<bool>& damaged) {
  for (Guarded& map : guarded_maps) {
    if (map.end.load() == 0) {
      map.damaged = &damaged;
      map.protection = protection;
      map.begin = begin;
      map.end = end;
      return;
    }
  }
}

bool is_guarded(std::uintptr_t begin) {
  for (const Guarded& map : guarded_maps) {
    if (map.end.load() != 0 && map.begin.load() == begin) {
      return true;
    }
  }
  return false;
}

}  // namespace

void MapGuard::prepare() {
  install_handlers();
}

MapGuard::MapGuard(const std::string& directory) {
  prepare();
  struct stat data {};
  struct stat lock {};
  ::stat((directory + "/data.mdb").c_str(), &data);
  ::stat((directory + "/lock.mdb").c_str(), &lock);
  const std::lock_guard hold(guarded_mutex);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::array<char, 5> rights{};
    std::uint64_t offset = 0;
    unsigned major_number = 0;
    unsigned minor_number = 0;
    std::uint64_t inode = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %x:%x %" SCNu64,
                    &begin, &end, rights.data(), &offset, &major_number, &minor_number,
                    &inode) != 7 ||
        inode == 0) {
      continue;
    }
    // The inode and the name identify the file, because the device of a mapping is not always the
    // one that stat(2) returns.
    const bool is_data = inode == data.st_ino && line.ends_with("/data.mdb");
    const bool is_lock = inode == lock.st_ino && line.ends_with("/lock.mdb");
    if ((is_data || is_lock) && !is_guarded(begin)) {
      guard_mapping(begin, end, PROT_READ | (rights[1] == 'w' ? PROT_WRITE : 0), damaged_);
      if (is_data && offset == 0) {
        data_begin_ = reinterpret_cast<const char*>(begin);
      }
    }
  }
}

MapGuard::~MapGuard() {
  const std::lock_guard hold(guarded_mutex);
  for (Guarded& map : guarded_maps) {
    if (map.damaged.load() == &damaged_) {
      map.end = 0;
      map.begin = 0;
      map.damaged = nullptr;
    }
  }
}

void MapGuard::assertion_failed(const char* what) {
  if (call_under_way != nullptr) {
    siglongjmp(*call_under_way, 1);
  }
  std::fprintf(stderr, "store: %s\n", what);
  std::abort();
}

void MapGuard::arm(sigjmp_buf* target) {
  call_under_way = target;
}

void MapGuard::disarm() {
  call_under_way = nullptr;
}

}  // namespace mtrk::store
