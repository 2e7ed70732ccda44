// A preloaded library that makes chosen calls on chosen files fail, as a disk that is full, broken
// or gone would.
//
//   MTRK_FAULT_PLAN=FILE    the plan: "CALL ERROR FIRST COUNT NAME", for example "pwrite ENOSPC 3 1
//   data.mdb": of the
//                           calls of pwrite on files whose name ends in data.mdb, the third fails,
//                           once. Calls are counted from when the file came into being. Without the
//                           file nothing fails
//   MTRK_FAULT_REPORT=FILE  gets a line for each call that was made to fail
//
// CALL is a function below. ERROR is the name of an errno, or SHORT: half of what was asked for is
// done. The plan is a file so that it can change while the program runs: put it in place with
// rename(2).
#include "tests/soak/next_call.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <ctime>

namespace mtrk::soak {
namespace {

NextCall<int(const char*, int, ...)> real_open{"open"};
NextCall<ssize_t(int, void*, size_t)> real_read{"read"};
NextCall<ssize_t(int, void*, size_t, off_t)> real_pread{"pread"};
NextCall<ssize_t(int, const void*, size_t)> real_write{"write"};
NextCall<ssize_t(int, const void*, size_t, off_t)> real_pwrite{"pwrite"};
NextCall<ssize_t(int, const iovec*, int)> real_writev{"writev"};
NextCall<off_t(int, off_t, int)> real_lseek{"lseek"};
NextCall<int(int)> real_fdatasync{"fdatasync"};
NextCall<int(int)> real_fsync{"fsync"};
NextCall<int(int, off_t)> real_ftruncate{"ftruncate"};
NextCall<int(int, struct stat*)> real_fstat{"fstat"};
NextCall<int(const char*, struct stat*)> real_stat{"stat"};
NextCall<int(const char*, const char*)> real_rename{"rename"};
NextCall<void*(void*, size_t, int, int, int, off_t)> real_mmap{"mmap"};

struct Error {
  const char* name;
  int number;
};
constexpr int kShort = -1;
constexpr Error kErrors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EROFS", EROFS},
                             {"EMFILE", EMFILE}, {"EINTR", EINTR},   {"ENOMEM", ENOMEM},
                             {"EACCES", EACCES}, {"SHORT", kShort}};

struct Plan {
  timespec made{};  // the file: another time is another plan (inodes are used again)
  char call[16] = "";
  char error[16] = "";
  char name[64] = "";
  unsigned long first = 0;
  unsigned long count = 0;
};

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
Plan plan;
unsigned long calls = 0;

// The plan of now; false if there is none.
bool read_plan() {
  const int file = real_open(setting("MTRK_FAULT_PLAN"), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return false;
  }
  struct stat status {};
  real_fstat(file, &status);
  char text[160] = "";
  const ssize_t got = real_read(file, text, sizeof text - 1);
  ::close(file);
  if (got <= 0) {
    return false;
  }
  const timespec made = status.st_mtim;
  if (made.tv_sec != plan.made.tv_sec || made.tv_nsec != plan.made.tv_nsec) {
    plan = Plan{};
    plan.made = made;
    calls = 0;
    if (std::sscanf(text, "%15s %15s %lu %lu %63s", plan.call, plan.error, &plan.first, &plan.count,
                    plan.name) != 5) {
      ::_exit(99);
    }
  }
  return true;
}

void report(const char* path) {
  const int file =
      real_open(setting("MTRK_FAULT_REPORT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  char line[256];
  const int length =
      std::snprintf(line, sizeof line, "%s %s %lu %s\n", plan.call, plan.error, calls, path);
  if (length < 0 || real_write(file, line, static_cast<std::size_t>(length)) != length) {
    ::_exit(99);
  }
  ::close(file);
}

// Another thread of the parent may have had the mutex.
void in_child() {
  ::pthread_mutex_init(&mutex, nullptr);
}

[[gnu::constructor]] void begin() {
  ::pthread_atfork(nullptr, nullptr, in_child);
}

// What has to become of this call: 0 nothing, kShort, or an errno, which is set then.
int fate(const char* call, const char* path) {
  const int kept = errno;
  ::pthread_mutex_lock(&mutex);
  int result = 0;
  if (read_plan() && std::strcmp(plan.call, call) == 0 && ends_with(path, plan.name) &&
      ++calls >= plan.first && calls < plan.first + plan.count) {
    for (const Error& error : kErrors) {
      result = std::strcmp(error.name, plan.error) == 0 ? error.number : result;
    }
    report(path);
  }
  ::pthread_mutex_unlock(&mutex);
  errno = result > 0 ? result : kept;
  return result;
}

int fate(const char* call, int file) {
  char link[40];
  char path[512];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const int kept = errno;
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length <= 0 || path[0] != '/') {
    return 0;
  }
  path[length] = '\0';
  return fate(call, path);
}

}  // namespace
}  // namespace mtrk::soak

using namespace mtrk::soak;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fate("open", path) > 0 ? -1 : real_open(path, flags, mode);
}

ssize_t read(int file, void* octets, size_t size) {
  const int result = fate("read", file);
  return result > 0 ? -1 : real_read(file, octets, result == kShort ? (size + 1) / 2 : size);
}

ssize_t pread(int file, void* octets, size_t size, off_t offset) {
  const int result = fate("pread", file);
  return result > 0 ? -1
                    : real_pread(file, octets, result == kShort ? (size + 1) / 2 : size, offset);
}

ssize_t write(int file, const void* octets, size_t size) {
  const int result = fate("write", file);
  return result > 0 ? -1 : real_write(file, octets, result == kShort ? size / 2 : size);
}

ssize_t pwrite(int file, const void* octets, size_t size, off_t offset) {
  const int result = fate("pwrite", file);
  return result > 0 ? -1 : real_pwrite(file, octets, result == kShort ? size / 2 : size, offset);
}

ssize_t writev(int file, const iovec* parts, int count) {
  const int result = fate("writev", file);
  return result > 0 ? -1 : real_writev(file, parts, result == kShort ? (count + 1) / 2 : count);
}

off_t lseek(int file, off_t offset, int whence) noexcept {
  return fate("lseek", file) > 0 ? -1 : real_lseek(file, offset, whence);
}

int fdatasync(int file) {
  return fate("fdatasync", file) > 0 ? -1 : real_fdatasync(file);
}

int fsync(int file) {
  return fate("fsync", file) > 0 ? -1 : real_fsync(file);
}

int ftruncate(int file, off_t size) noexcept {
  return fate("ftruncate", file) > 0 ? -1 : real_ftruncate(file, size);
}

int fstat(int file, struct stat* status) noexcept {
  return fate("fstat", file) > 0 ? -1 : real_fstat(file, status);
}

// What fstat() is called in a library that was built against an older libc, such as LMDB's.
int __fxstat(int /*version*/, int file, struct stat* status) noexcept {
  return fstat(file, status);
}

int stat(const char* path, struct stat* status) noexcept {
  return fate("stat", path) > 0 ? -1 : real_stat(path, status);
}

int rename(const char* from, const char* to) noexcept {
  return fate("rename", to) > 0 ? -1 : real_rename(from, to);
}

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return file >= 0 && fate("mmap", file) > 0 ? MAP_FAILED
                                             : real_mmap(at, size, protection, flags, file, offset);
}
}

MTRK_LARGE_FILE_NAME(open, int, const char*, int, ...);
MTRK_LARGE_FILE_NAME(pread, ssize_t, int, void*, size_t, off_t);
MTRK_LARGE_FILE_NAME(pwrite, ssize_t, int, const void*, size_t, off_t);
MTRK_LARGE_FILE_NAME(lseek, off_t, int, off_t, int);
MTRK_LARGE_FILE_NAME(ftruncate, int, int, off_t);
MTRK_LARGE_FILE_NAME(mmap, void*, void*, size_t, int, int, int, off_t);
