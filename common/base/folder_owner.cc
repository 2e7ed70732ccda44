#include "common/base/folder_owner.h"

#include "common/base/unique_fd.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

constexpr int kMostLinks = 40;

[[noreturn]] void refuse_way(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

struct stat status_of_folder(const UniqueFd& fd, const std::string& path) {
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    refuse_way(errno, path);
  }
  return status;
}

std::string target_of(const UniqueFd& link, const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size < 0) {
    refuse_way(errno, path);
  }
  target.resize(static_cast<std::size_t>(size));
  return target;
}

}  // namespace

FolderOwner owner_of_folder(const std::string& path) {
  constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  std::string rest = path;
  const UniqueFd top(::open("/", kFlags | O_DIRECTORY));
  const uid_t ruler = status_of_folder(top, path).st_uid;  // root, except in some user namespaces
  const auto is_trusted = [&](uid_t user) { return user == 0 || user == ruler; };
  UniqueFd folder(::open(rest.starts_with('/') ? "/" : ".", kFlags | O_DIRECTORY));
  struct stat status = status_of_folder(folder, path);
  int links = 0;
  bool missing = false;
  for (;;) {
    const std::size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) {
      break;
    }
    const std::size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    rest.erase(0, end);
    UniqueFd next(::openat(folder.get(), name.c_str(), kFlags));
    if (!next && errno == ENOENT) {
      missing = true;
      break;
    }
    const struct stat found = status_of_folder(next, path);
    if (!is_trusted(status.st_uid) && found.st_uid != status.st_uid) {
      refuse_way(EPERM, path + ": on the way there, \"" + name + "\" is not its folder's owner's");
    }
    if (S_ISLNK(found.st_mode)) {
      if (++links > kMostLinks) {
        refuse_way(ELOOP, path);
      }
      // The owner of the link chose its target, so what follows counts as that owner's folder.
      const std::string target = target_of(next, path);
      if (target.starts_with('/')) {
        folder = UniqueFd(::open("/", kFlags | O_DIRECTORY));
      }
      const uid_t chooser = found.st_uid;
      status = status_of_folder(folder, path);
      status.st_uid = is_trusted(chooser) ? status.st_uid : chooser;
      rest.insert(0, target + (rest.empty() ? "" : "/"));
      continue;
    }
    if (!S_ISDIR(found.st_mode)) {
      refuse_way(ENOTDIR, path);
    }
    folder = std::move(next);
    status = found;
  }
  const bool closed = (status.st_mode & 022) == 0 || (missing && (status.st_mode & S_ISVTX) != 0);
  return {status.st_uid, status.st_gid, closed};
}

}  // namespace mtrk
