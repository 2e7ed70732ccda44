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

// The map or the disk is full: the store itself is sound, and usable when there is room again.
[[nodiscard]] bool is_full(const StoreError& error);

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
