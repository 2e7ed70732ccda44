#include "common/base/small_file.h"

#include "common/base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace mtrk {

bool write_whole(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      errno = n == 0 ? ENOSPC : errno;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int replace_small_file(const std::string& path, std::string_view text, mode_t mode) noexcept try {
  const std::size_t slash = path.rfind('/');
  const std::string folder_name = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string fresh = name + ".new";
  const UniqueFd folder(::open(folder_name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    return errno;
  }
  // The file may be left over from a process that was killed.
  static_cast<void>(::unlinkat(folder.get(), fresh.c_str(), 0));
  const UniqueFd file(::openat(folder.get(), fresh.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) {
    return errno;
  }
  if (write_whole(file.get(), text) &&
      ::renameat(folder.get(), fresh.c_str(), folder.get(), name.c_str()) == 0) {
    return 0;
  }
  const int error = errno;
  static_cast<void>(::unlinkat(folder.get(), fresh.c_str(), 0));
  return error;
} catch (...) {
  return ENOMEM;
}

std::optional<std::string> read_small_file(const std::string& path, std::size_t limit) {
  const UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  std::string text(limit, '\0');
  std::size_t got = 0;
  while (got < limit) {
    const ssize_t n = ::read(file.get(), text.data() + got, limit - got);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return std::nullopt;
    }
    if (n == 0) {
      break;
    }
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

}  // namespace mtrk
