#include "common/store/store_files.h"

#include "common/base/exit_code.h"
#include "common/base/unique_fd.h"
#include "common/store/lmdb.h"
#include "common/store/owned_files.h"
#include "common/store/store_rows.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace mtrk::store {
namespace {

constexpr off_t kLockFileSize = 68 * 1024;  // room for 1024 readers and LMDB's own fields
constexpr const char* kAsidePrefix = "data.mdb.bad-";

std::system_error last_error(const std::string& what) {
  return {errno, std::generic_category(), what};
}

void forget_oldest_aside(const std::string& directory) {
  std::vector<std::string> aside;  // names sort by time
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(kAsidePrefix)) {
      aside.push_back(entry.path().string());
    }
  }
  std::sort(aside.begin(), aside.end());
  for (std::size_t i = 0; i + kKeptAside < aside.size(); ++i) {
    ::unlink(aside[i].c_str());
  }
}

// Reads the rows of a database and checks that they are in the order of their keys.
std::string walk(const Txn& txn, Dbi dbi, const char* name) {
  std::uint64_t rows = 0;
  std::string before;
  Cursor cursor(txn, dbi);
  for (auto row = cursor.first(); row; row = cursor.next()) {
    if (rows++ > 0 && row->key <= before) {
      return std::string(name) + ": keys out of order";
    }
    before = row->key;
    if (!row->value.empty()) {  // this reads the last page of a long value
      volatile char last = row->value.back();
      static_cast<void>(last);
    }
  }
  return rows == txn.entries(dbi) ? std::string() : std::string(name) + ": rows are missing";
}

std::string walk_all(const std::string& directory) {
  const std::shared_ptr<Env> env =
      Env::open(directory, Env::Access::read_as_owner, 0, Env::Missing::fail);
  const Databases found = open_databases(*env, directory).databases;
  const ReadTxn txn(*env);
  for (const auto& [dbi, name] :
       {std::pair{found.meta, "meta"}, std::pair{found.message, "message"},
        std::pair{found.queue, "queue"}, std::pair{found.trace, "trace"},
        std::pair{found.expiry, "expiry"}, std::pair{found.due, "due"},
        std::pair{found.cursor, "cursor"}, std::pair{found.aside, "aside"}}) {
    if (std::string wrong = walk(txn, dbi, name); !wrong.empty()) {
      return wrong;
    }
  }
  return env->has_sound_free_list() ? std::string() : "the list of free pages is damaged";
}

}  // namespace

void reserve_lock_file(const std::string& directory) {
  const std::string path = directory + "/lock.mdb";
  const UniqueFd file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kStoreLockMode));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    throw last_error("lock.mdb");
  }
  if (S_ISREG(status.st_mode) && status.st_size < kLockFileSize) {
    errno = ::posix_fallocate(file.get(), 0, kLockFileSize);
    if (errno != 0) {
      const int error = errno;
      if (status.st_size == 0) {
        ::unlink(path.c_str());
      }
      errno = error;
      throw last_error("lock.mdb");
    }
  }
}

void renew_lock_file(const std::string& directory) {
  if (::unlink((directory + "/lock.mdb").c_str()) != 0 && errno != ENOENT) {
    throw last_error("lock.mdb");
  }
}

std::string set_store_aside(const std::string& directory) {
  std::array<char, 32> stamp{};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  const std::string data = directory + "/data.mdb";
  std::string name = kAsidePrefix + std::string(stamp.data());
  for (char more = 'a'; ::access((directory + "/" + name).c_str(), F_OK) == 0 && more <= 'z';
       ++more) {
    name = kAsidePrefix + std::string(stamp.data()) + more;
  }
  const bool was_there = std::rename(data.c_str(), (directory + "/" + name).c_str()) == 0;
  if (!was_there && errno != ENOENT) {
    throw last_error("data.mdb");
  }
  renew_lock_file(directory);
  forget_oldest_aside(directory);
  return was_there ? name : std::string();
}

std::string check_store(const std::string& directory) {
  try {
    return walk_all(directory);
  } catch (const StoreError& error) {
    return error.what();
  } catch (const StoreUnusable& error) {
    // A missing store is not damaged, and neither is one of another version.
    return error.exit_code() == exit_code::data_error ? error.what() : std::string();
  }
}

std::string check_store_apart(const std::string& directory) {
  const pid_t child = ::fork();
  if (child < 0) {
    throw last_error("fork");
  }
  if (child == 0) {
    std::string wrong = "?";
    try {
      wrong = check_store(directory);
    } catch (...) {
    }
    ::_exit(wrong.empty() ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    return "the check died of signal " + std::to_string(WTERMSIG(status));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? std::string() : "pages are damaged";
}

}  // namespace mtrk::store
