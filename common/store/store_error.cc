#include "common/store/store_error.h"

#include <lmdb.h>

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

bool is_full(const StoreError& error) {
  const int code = error.code().value();
  return code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT;
}

}  // namespace mtrk::store
