#pragma once

#include <compare>
#include <cstdint>

namespace mtrk {

// A FileId identifies a file independently of its name, by st_dev and st_ino of stat(2).
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(const FileId&) const = default;
};

}  // namespace mtrk
