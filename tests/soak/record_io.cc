// A preloaded library that writes down, in the order in which it happened, all that a program does
// to the data file of a store, what it says on standard error, and how it ends: the material of
// which cut_images makes the disks that a power cut would leave.
//
//   MTRK_IO_JOURNAL=FILE   where to; several processes append to one file
//   MTRK_IO_NAME=NAME      what this process is called there
//
// An entry is a line "KIND OFFSET SIZE" and, after it, SIZE octets and a line feed. The kinds:
//   N  the process began; the octets are its name        X  it ended by exit(3); OFFSET is the
//   status, as N W  a write at OFFSET                                 D  the same, durable when it
//   returned (O_DSYNC) S  a sync that succeeded                             T  the file was cut or
//   extended to OFFSET P  it said these octets                              B  something this
//   library cannot see: no proof
//
// Each call and its entry are made under one lock of the journal file, hence the order is the true
// one, among processes too.
#include "tests/soak/next_call.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>

namespace mtrk::soak {
namespace {

enum class Watched : char { no, data, durable_data };

constexpr int kFiles = 4096;
Watched watched[kFiles];
int journal = -1;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

NextCall<int(const char*, int, ...)> real_open{"open"};
NextCall<int(int)> real_close{"close"};
NextCall<ssize_t(int, const void*, size_t)> real_write{"write"};
NextCall<ssize_t(int, const void*, size_t, off_t)> real_pwrite{"pwrite"};
NextCall<ssize_t(int, const iovec*, int)> real_writev{"writev"};
NextCall<int(int)> real_sync{"fdatasync"};
NextCall<int(int)> real_fsync{"fsync"};
NextCall<int(int, off_t)> real_truncate{"ftruncate"};
NextCall<void*(void*, size_t, int, int, int, off_t)> real_mmap{"mmap"};

Watched kind_of(int file) {
  return file >= 0 && file < kFiles ? watched[file] : Watched::no;
}

// One call and its entry. The threads of this process share the journal's open file, so that
// flock(2) keeps out only the other processes.
class Turn {
 public:
  Turn() {
    ::pthread_mutex_lock(&mutex);
    ::flock(journal, LOCK_EX);
  }
  ~Turn() {
    const int kept = errno;
    ::flock(journal, LOCK_UN);
    ::pthread_mutex_unlock(&mutex);
    errno = kept;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void note(char kind, std::uint64_t offset, const void* octets, std::size_t size) const {
    const int kept = errno;
    char head[64];
    const int length = std::snprintf(head, sizeof head, "%c %llu %zu\n", kind,
                                     static_cast<unsigned long long>(offset), size);
    const char feed = '\n';
    const iovec parts[] = {{head, static_cast<std::size_t>(length)},
                           {const_cast<void*>(octets), size},
                           {const_cast<char*>(&feed), 1}};
    if (real_writev(journal, parts, 3) != length + static_cast<ssize_t>(size) + 1) {
      ::_exit(99);  // half a journal would prove nothing
    }
    errno = kept;
  }
};

void at_exit(int status, void* /*unused*/) {
  const char* name = setting("MTRK_IO_NAME");
  Turn().note('X', static_cast<std::uint64_t>(status), name, std::strlen(name));
}

// A child has what its parent has open, and with it the parent's lock: it opens the journal once
// more.
void in_child() {
  ::pthread_mutex_init(&mutex, nullptr);
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", journal);
  const int file = real_open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0 || ::dup3(file, journal, O_CLOEXEC) < 0) {
    ::_exit(99);
  }
  real_close(file);
}

[[gnu::constructor]] void begin() {
  const int file =
      real_open(setting("MTRK_IO_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  journal = file < 0 ? -1 : ::fcntl(file, F_DUPFD_CLOEXEC, 900);  // out of the program's way
  if (journal < 0) {
    std::perror("MTRK_IO_JOURNAL");
    ::_exit(99);
  }
  real_close(file);
  const char* name = setting("MTRK_IO_NAME");
  Turn().note('N', 0, name, std::strlen(name));
  ::on_exit(at_exit, nullptr);
  ::pthread_atfork(nullptr, nullptr, in_child);
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
  const int file = real_open(path, flags, mode);
  if (file >= 0 && file < kFiles && (flags & O_ACCMODE) != O_RDONLY &&
      ends_with(path, "/data.mdb")) {
    watched[file] = (flags & O_DSYNC) != 0 ? Watched::durable_data : Watched::data;
  }
  return file;
}

int close(int file) {
  if (kind_of(file) != Watched::no) {
    watched[file] = Watched::no;
  }
  return real_close(file);
}

ssize_t pwrite(int file, const void* octets, size_t size, off_t offset) {
  const Watched kind = kind_of(file);
  if (kind == Watched::no) {
    return real_pwrite(file, octets, size, offset);
  }
  const Turn turn;
  const ssize_t written = real_pwrite(file, octets, size, offset);
  if (written > 0) {
    turn.note(kind == Watched::durable_data ? 'D' : 'W', static_cast<std::uint64_t>(offset), octets,
              static_cast<std::size_t>(written));
  }
  return written;
}

ssize_t writev(int file, const iovec* parts, int count) {
  const Watched kind = kind_of(file);
  if (kind == Watched::no) {
    return real_writev(file, parts, count);
  }
  const Turn turn;
  auto offset = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_CUR));
  const ssize_t written = real_writev(file, parts, count);
  auto left = static_cast<std::size_t>(written > 0 ? written : 0);
  for (int i = 0; i < count && left > 0; ++i) {
    const std::size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;
    turn.note(kind == Watched::durable_data ? 'D' : 'W', offset, parts[i].iov_base, size);
    offset += size;
    left -= size;
  }
  return written;
}

ssize_t write(int file, const void* octets, size_t size) {
  if (file == STDERR_FILENO) {
    const Turn turn;
    turn.note('P', 0, octets, size);
    return real_write(file, octets, size);
  }
  if (kind_of(file) == Watched::no) {
    return real_write(file, octets, size);
  }
  const iovec part{const_cast<void*>(octets), size};
  return writev(file, &part, 1);
}

int fdatasync(int file) {
  if (kind_of(file) == Watched::no) {
    return real_sync(file);
  }
  const Turn turn;
  const int result = real_sync(file);
  if (result == 0) {
    turn.note('S', 0, nullptr, 0);
  }
  return result;
}

int fsync(int file) {
  return kind_of(file) == Watched::no ? real_fsync(file) : fdatasync(file);
}

int ftruncate(int file, off_t size) noexcept {
  if (kind_of(file) == Watched::no) {
    return real_truncate(file, size);
  }
  const Turn turn;
  const int result = real_truncate(file, size);
  if (result == 0) {
    turn.note('T', static_cast<std::uint64_t>(size), nullptr, 0);
  }
  return result;
}

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  if (kind_of(file) != Watched::no && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0) {
    Turn().note('B', 0, nullptr, 0);
  }
  return real_mmap(at, size, protection, flags, file, offset);
}
}

MTRK_LARGE_FILE_NAME(open, int, const char*, int, ...);
MTRK_LARGE_FILE_NAME(pwrite, ssize_t, int, const void*, size_t, off_t);
MTRK_LARGE_FILE_NAME(ftruncate, int, int, off_t);
MTRK_LARGE_FILE_NAME(mmap, void*, void*, size_t, int, int, int, off_t);
