// Env::open() reports everything that can be wrong with a store's path before anything is written.
#include "common/base/exit_code.h"
#include "common/store/lmdb.h"
#include "common/store/owned_files.h"
#include "common/store/store_files.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

namespace mtrk::store {
namespace {

constexpr unsigned kDatabases = 16;
constexpr unsigned kReaders = 1024;

// The registry holds the environments that this process has open, by the identity of their
// directory. After fork(), the child has none of them.
struct Registry {
  struct Opened {
    pid_t process;
    std::weak_ptr<Env> env;
  };
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, Opened> opened;
};
Registry& registry() {
  static Registry the_registry;
  return the_registry;
}

StoreUnusable unusable(int code, const std::string& path, std::string_view reason) {
  return StoreUnusable(code, "store " + path + ": " + std::string(reason));
}

StoreUnusable from_errno(int error, const std::string& path, int otherwise) {
  const bool permission = error == EACCES || error == EPERM || error == EROFS;
  return unusable(permission ? exit_code::no_permission : otherwise, path, std::strerror(error));
}

struct stat prepare_directory(const std::string& path, Env::Missing missing) {
  struct stat directory {};
  if (::stat(path.c_str(), &directory) != 0) {
    const bool make = errno == ENOENT && missing == Env::Missing::create;
    if (!make) {
      throw from_errno(errno, path, exit_code::no_input);
    }
    if (!make_store_folder(path) || ::stat(path.c_str(), &directory) != 0) {
      throw from_errno(errno, path, exit_code::cant_create);
    }
  }
  if (!S_ISDIR(directory.st_mode)) {
    throw unusable(missing == Env::Missing::create ? exit_code::cant_create : exit_code::no_input,
                   path, "is not a directory");
  }
  struct statfs system {};
  if (::statfs(path.c_str(), &system) != 0) {
    throw from_errno(errno, path, exit_code::no_input);
  }
  if (is_network_file_system(static_cast<std::uint64_t>(system.f_type))) {
    throw unusable(exit_code::config, path,
                   "is on a network or user-space file system; the store needs a local one");
  }
  return directory;
}

StoreUnusable open_failure(int code, const std::string& path, Env::Missing missing) {
  if (code == MDB_INVALID || code == MDB_CORRUPTED) {
    return unusable(exit_code::data_error, path, "data.mdb is not a store, or damaged");
  }
  if (code == MDB_VERSION_MISMATCH) {
    return unusable(exit_code::config, path, "made by another version of LMDB");
  }
  const int otherwise =
      missing == Env::Missing::create ? exit_code::cant_create : exit_code::no_input;
  return code > 0 ? from_errno(code, path, otherwise)
                  : unusable(otherwise, path, mdb_strerror(code));
}

// A file that was truncated by accident raises SIGBUS at the first page beyond its end. A few last
// pages may be missing legitimately, because LMDB does not write pages that were freed in the same
// transaction. Readers are guarded against those, and the writer notices them (check_store()).
constexpr std::uint64_t kLawfullyMissing = 64;  // pages

void refuse_truncated(const Env& env, const std::string& path) {
  const Env::Pages pages = env.pages();
  struct stat data {};
  const bool is_there = ::stat((path + "/data.mdb").c_str(), &data) == 0;
  const auto length = static_cast<std::uint64_t>(data.st_size);
  const std::uint64_t wanted = pages.high_mark * pages.size;
  if (!is_there || length + kLawfullyMissing * pages.size < wanted ||
      (length < wanted && length % pages.size != 0)) {
    throw unusable(exit_code::data_error, path, "data.mdb is cut off");
  }
}

// A process that only reads, and may not create a lock file, leaves the error message to LMDB.
void have_lock_file(const std::string& path, Env::Access access, Env::Missing missing) {
  try {
    reserve_lock_file(path);
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    const bool no_room = code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO;
    if (access == Env::Access::read_write || no_room) {
      throw from_errno(
          code, path + "/lock.mdb",
          missing == Env::Missing::create ? exit_code::cant_create : exit_code::no_input);
    }
  }
}

}  // namespace

bool is_network_file_system(std::uint64_t magic) {
  static constexpr std::array<std::uint64_t, 13> kMagics{
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x65735546,  // FUSE
      0x01021997,  // 9P
      0x5346414F,  // AFS
      0x73757245,  // Coda
      0x00C36400,  // Ceph
      0x0BD00BD0,  // Lustre
      0x01161970,  // GFS2
      0x7461636F,  // OCFS2
      0x47504653,  // GPFS
  };
  // f_type is signed and only 32 bits wide on some machines.
  return std::find(kMagics.begin(), kMagics.end(), magic & 0xFFFFFFFF) != kMagics.end();
}

std::shared_ptr<Env> Env::open(const std::string& path,
                               Access access,
                               std::uint64_t map_size,
                               Missing missing) {
  const struct stat directory = prepare_directory(path, missing);
  const std::string data_file = path + "/data.mdb";
  if (missing == Missing::fail && ::access(data_file.c_str(), F_OK) != 0) {
    throw from_errno(errno, path, exit_code::no_input);
  }
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  Registry::Opened& entry = all.opened[{directory.st_dev, directory.st_ino}];
  if (entry.process == ::getpid()) {
    if (std::shared_ptr<Env> open_one = entry.env.lock()) {
      if (access == Access::read_write) {
        if (open_one->access_ != Access::read_write || open_one->has_writer_) {
          throw unusable(exit_code::cant_create, path, "is already open in this process");
        }
        open_one->has_writer_ = true;
      } else if (access == Access::read_as_owner && !open_one->keeps_snapshots()) {
        throw unusable(exit_code::cant_create, path, "is already open in this process");
      }
      return open_one;
    }
  }
  const std::shared_ptr<Env> env(new Env);
  env->access_ = access;
  const auto require = [&](int code) {
    if (code != MDB_SUCCESS) {
      throw open_failure(code, path, missing);
    }
  };
  require(mdb_env_create(&env->env_));
  require(mdb_env_set_maxdbs(env->env_, kDatabases));
  require(mdb_env_set_maxreaders(env->env_, kReaders));
  unsigned flags = MDB_NOTLS;
  if (access != Access::read_write) {
    flags |= MDB_RDONLY | (access == Access::read_only ? MDB_NOLOCK : 0U);
    MapGuard::prepare();
  } else {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    require(mdb_env_set_mapsize(env->env_, map_size / page * page));
  }
  env->writer_lock_ = prepare_store_files(path, directory, access == Access::read_write);
  if (env->keeps_snapshots()) {
    have_lock_file(path, access, missing);
  }
  static_cast<void>(mdb_env_set_assert(
      env->env_, [](MDB_env*, const char* what) { MapGuard::assertion_failed(what); }));
  require(env->call([&] { return mdb_env_open(env->env_, path.c_str(), flags, kStoreDataMode); }));
  env->path_ = path;
  env->files_ = env->files_at_path();
  // This looks at the open file, because the path may lead to another one by now.
  struct stat opened {};
  if (int file = -1;
      mdb_env_get_fd(env->env_, &file) == MDB_SUCCESS && ::fstat(file, &opened) == 0) {
    env->files_.data = {opened.st_dev, opened.st_ino};
  }
  if (access != Access::read_write) {
    env->guard_ = std::make_unique<MapGuard>(path);
  }
  if (int data = -1;
      access == Access::read_write && mdb_env_get_fd(env->env_, &data) == MDB_SUCCESS) {
    finish_store_file(data, directory, path);
  }
  refuse_truncated(*env, path);
  env->page_size_ = env->pages().size;
  env->check_readers();
  env->has_writer_ = access == Access::read_write;
  entry = {::getpid(), env};
  return env;
}

void Env::end_writing() {
  const std::lock_guard lock(registry().mutex);
  has_writer_ = false;
}

Env::~Env() {
  mdb_env_close(env_);
}

}  // namespace mtrk::store
