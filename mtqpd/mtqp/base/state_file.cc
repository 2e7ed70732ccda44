#include "mtqpd/mtqp/base/state_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace mtrk::cli {
namespace {

[[noreturn]] void throw_errno(int error, const std::string& path) {
  throw std::system_error(error, std::generic_category(), path);
}

}  // namespace

std::string state_file_path(std::string_view name) {
  const char* state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe)
  if (state != nullptr && *state == '/') {  // the XDG specification requires an absolute path
    return std::string(state) + "/mtqp/" + std::string(name);
  }
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home == nullptr || *home == '\0') {
    return "";
  }
  return std::string(home) + "/.local/state/mtqp/" + std::string(name);
}

// The folders above belong to the user; the last one is ours and closed to others.
void make_private_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_errno(errno, folder);
  }
}

UniqueFd open_private(const std::string& path, int flags) {
  // With O_NONBLOCK a FIFO is refused, and open() does not wait for it.
  UniqueFd fd(::open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  if (!fd) {
    throw_errno(errno, path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    throw_errno(errno, path);
  }
  const bool is_private =
      S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 077U) == 0;
  if (!is_private) {
    throw_errno(EPERM, path + " must be a file of this user with mode 0600");
  }
  return fd;
}

void lock_exclusively(const UniqueFd& fd, const std::string& path) {
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      throw_errno(errno, path);
    }
  }
}

std::string read_private(const std::string& path, std::size_t limit) {
  UniqueFd fd;
  try {
    fd = open_private(path, O_RDONLY);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::no_such_file_or_directory) {
      return "";
    }
    throw;
  }
  std::string text;
  struct stat status {};
  // A growing string would leave copies of secrets.
  if (::fstat(fd.get(), &status) == 0 && status.st_size > 0) {
    text.reserve(std::min(limit, static_cast<std::size_t>(status.st_size)) + 1);
  }
  char block[16 * 1024];
  ssize_t n = 0;
  while (text.size() < limit && (n = ::read(fd.get(), block, sizeof block)) != 0) {
    if (n < 0 && errno != EINTR) {
      throw_errno(errno, path);
    }
    text.append(block, n < 0 ? 0 : std::min(static_cast<std::size_t>(n), limit - text.size()));
  }
  ::explicit_bzero(block, sizeof block);
  return text;
}

void write_all(const UniqueFd& fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      throw_errno(n < 0 ? errno : EIO, path);
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_folder_of(const std::string& path) noexcept {
  const std::string folder = path.substr(0, path.rfind('/'));
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) {
    static_cast<void>(::fsync(fd.get()));
  }
}

}  // namespace mtrk::cli
