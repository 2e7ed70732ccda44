#include "common/store/owned_files.h"

#include "common/base/exit_code.h"
#include "common/base/unique_fd.h"
#include "common/store/store_error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mtrk::store {
namespace {

constexpr int kFlags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

StoreUnusable not_as_it_should_be(int code, const std::string& path, const std::string& why) {
  return {code, "store " + path + ": " + why};
}

StoreUnusable not_to_be_made(const std::string& path, const std::string& name) {
  const bool permission = errno == EACCES || errno == EPERM || errno == EROFS;
  return not_as_it_should_be(permission ? exit_code::no_permission : exit_code::cant_create, path,
                             name + ": " + std::generic_category().message(errno));
}

// Changes only a file of our own user; any other file is the business of its owner.
void set_owner_and_mode(int file,
                        const struct stat& now,
                        const struct stat& folder,
                        mode_t mode,
                        const std::string& path) {
  if (::geteuid() != now.st_uid) {
    return;
  }
  const bool foreign = ::geteuid() == 0 && now.st_gid != folder.st_gid;
  if ((foreign && ::fchown(file, static_cast<uid_t>(-1), folder.st_gid) != 0) ||
      ((foreign || (now.st_mode & 07777) != mode) && ::fchmod(file, mode) != 0)) {
    throw not_to_be_made(path, "owner and mode");
  }
}

// Returns whether the file exists. Throws StoreUnusable unless it is a regular file.
bool require_plain(const UniqueFd& folder, const char* name, const std::string& path) {
  struct stat status {};
  if (::fstatat(folder.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return false;
  }
  if (S_ISLNK(status.st_mode)) {
    throw not_as_it_should_be(exit_code::no_permission, path,
                              std::string(name) + " is a symbolic link, which is not followed");
  }
  if (!S_ISREG(status.st_mode)) {
    throw not_as_it_should_be(exit_code::no_permission, path,
                              std::string(name) + " is not a regular file");
  }
  return true;
}

UniqueFd open_lock(const UniqueFd& at,
                   const char* name,
                   bool is_there,
                   const struct stat& folder,
                   const std::string& path) {
  UniqueFd lock(
      ::openat(at.get(), name, O_RDWR | kFlags | (is_there ? 0 : O_CREAT), kStoreLockMode));
  struct stat status {};
  if (!lock || ::fstat(lock.get(), &status) != 0) {
    throw not_to_be_made(path, name);
  }
  set_owner_and_mode(lock.get(), status, folder, kStoreLockMode, path);
  return lock;
}

}  // namespace

bool make_store_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kStoreFolderMode) != 0) {
    return false;
  }
  // mkdir(2) applies the umask and drops the set-group-id bit. The owner may not be able to set it.
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | kFlags));
  if (folder) {
    static_cast<void>(::fchmod(folder.get(), kStoreFolderMode));
    // The umask has removed read permission. Using a path is harmless here, because this is not
    // root.
  } else if (::geteuid() != 0) {
    static_cast<void>(::chmod(path.c_str(), kStoreFolderMode));
  }
  return true;
}

UniqueFd prepare_store_files(const std::string& path, const struct stat& folder, bool writes) {
  if (::geteuid() == 0 && folder.st_uid != 0) {
    throw not_as_it_should_be(exit_code::no_permission, path,
                              "belongs to user " + std::to_string(folder.st_uid) +
                                  "; root does not open it: run as that user");
  }
  const UniqueFd at(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) {
    throw not_to_be_made(path, ".");
  }
  static_cast<void>(require_plain(at, "data.mdb", path));
  bool has_lock = require_plain(at, "lock.mdb", path);
  const bool has_writer_lock = require_plain(at, "writer.lock", path);
  if (!writes) {
    return UniqueFd();
  }
  struct stat before {};
  if (has_lock && ::fstatat(at.get(), "lock.mdb", &before, AT_SYMLINK_NOFOLLOW) == 0 &&
      (before.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    if (::unlinkat(at.get(), "lock.mdb", 0) != 0) {
      throw not_to_be_made(path, "lock.mdb");
    }
    has_lock = false;
  }
  static_cast<void>(open_lock(at, "lock.mdb", has_lock, folder, path));
  return open_lock(at, "writer.lock", has_writer_lock, folder, path);
}

void finish_store_file(int data_file, const struct stat& folder, const std::string& path) {
  struct stat status {};
  if (::fstat(data_file, &status) == 0) {
    set_owner_and_mode(data_file, status, folder, kStoreDataMode, path);
  }
}

}  // namespace mtrk::store
