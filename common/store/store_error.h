#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

// These exceptions report a broken environment (contrib/doc/coding.md), with codes of LMDB and our
// own.
namespace mtrk::store {

[[nodiscard]] const std::error_category& lmdb_category();

class StoreError : public std::system_error {
 public:
  StoreError(int lmdb_code, const std::string& what);
};

// StoreGone means that the files at the store's path are not those that are open, because they were
// restored, moved or removed. What was written to the open files is not in the store.
class StoreGone : public StoreError {
 public:
  explicit StoreGone(const std::string& what);
};

// StoreOvertaken means that pages of a snapshot may have been overwritten while they were read.
// What was read does not count, and must be read again from a new snapshot.
class StoreOvertaken : public StoreError {
 public:
  StoreOvertaken();
};

// Returns whether the content of the files is not, or no longer, a store. Opening it again will not
// repair that.
[[nodiscard]] bool is_damage(const StoreError& error);

// Returns whether the map or the disk is full. The store itself is sound, and usable as soon as
// there is room again.
[[nodiscard]] bool is_full(const StoreError& error);

class StoreUnusable;
// Rethrows an error that occurred while a store was being opened: damage as StoreUnusable, because
// somebody must repair it, and anything else unchanged, because it may pass.
[[noreturn]] void rethrow_at_open(const StoreError& error, const std::string& path);

// StoreUnusable reports what an administrator must repair. `exit_code` is the code of sysexits with
// which a program ends.
class StoreUnusable : public std::runtime_error {
 public:
  StoreUnusable(int exit_code, const std::string& what)
      : std::runtime_error(what), exit_code_(exit_code) {}
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace mtrk::store
