#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

// The broken environment, as exceptions (contrib/doc/coding.md): LMDB's codes and ours.
namespace mtrk::store {

[[nodiscard]] const std::error_category& lmdb_category();

class StoreError : public std::system_error {
 public:
  StoreError(int lmdb_code, const std::string& what);
};

// The files at the store's path are not the ones that are open: restored, moved, removed. What was
// written to those is not in the store.
class StoreGone : public StoreError {
 public:
  explicit StoreGone(const std::string& what);
};

// Pages of a snapshot may have been written over while they were read: what was read does not
// count, and is to be read again from a new snapshot.
class StoreOvertaken : public StoreError {
 public:
  StoreOvertaken();
};

// What is in the files cannot be a store, or not any more: opening it again will not mend that.
[[nodiscard]] bool is_damage(const StoreError& error);

// The map or the disk is full: the store itself is sound, and usable when there is room again.
[[nodiscard]] bool is_full(const StoreError& error);

class StoreUnusable;
// While a store is being opened: damage is for somebody to mend, anything else may pass.
[[noreturn]] void rethrow_at_open(const StoreError& error, const std::string& path);

// Ours: what an administrator has to mend. `exit_code` is the sysexits code a program ends with.
class StoreUnusable : public std::runtime_error {
 public:
  StoreUnusable(int exit_code, const std::string& what)
      : std::runtime_error(what), exit_code_(exit_code) {}
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace mtrk::store
