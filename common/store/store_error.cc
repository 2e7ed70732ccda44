#include "common/store/store_error.h"

#include "common/base/exit_code.h"

#include <lmdb.h>

#include <sys/resource.h>

#include <cerrno>

namespace mtrk::store {
namespace {

class LmdbCategory : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "lmdb"; }
  [[nodiscard]] std::string message(int code) const override { return mdb_strerror(code); }
};

}  // namespace

const std::error_category& lmdb_category() {
  static const LmdbCategory kCategory;
  return kCategory;
}

StoreError::StoreError(int lmdb_code, const std::string& what)
    : std::system_error(lmdb_code, lmdb_category(), what) {}

StoreGone::StoreGone(const std::string& what) : StoreError(ESTALE, what) {}
StoreOvertaken::StoreOvertaken() : StoreError(EAGAIN, "store: overtaken by its writer") {}

bool is_damage(const StoreError& error) {
  switch (error.code().value()) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_BAD_TXN:
    case MDB_BAD_DBI:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_VALSIZE:
    case MDB_DBS_FULL:
    case MDB_NOTFOUND:
    case MDB_KEYEXIST:
    case MDB_TXN_FULL:
      return true;
    // This is a page number that no file can have, unless this process may not write large files.
    case EFBIG: {
      rlimit largest{};
      return ::getrlimit(RLIMIT_FSIZE, &largest) == 0 && largest.rlim_cur == RLIM_INFINITY;
    }
    default:
      return false;
  }
}

void rethrow_at_open(const StoreError& error, const std::string& path) {
  if (is_damage(error)) {
    throw StoreUnusable(exit_code::data_error, "store " + path + ": damaged: " + error.what());
  }
  throw error;
}

bool is_full(const StoreError& error) {
  const int code = error.code().value();
  return code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT;
}

}  // namespace mtrk::store
