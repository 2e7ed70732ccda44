#pragma once

#include "common/base/file_id.h"

#include <cstdint>
#include <string>
#include <vector>

// Finds the rotated generations of a log file: files beside it whose name starts with its name and
// one of ". - _" (mail.log.1, mail.log-20261121, maillog.20261121-164922).
namespace mtrk {

struct LogSibling {
  std::string path;
  FileId id;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t born_ns = 0;  // 0 where the file system does not say
  bool compressed = false;   // by its name: .gz, .xz, .bz2, .zst, .lz4, .Z
};

// Returns the regular files among them, oldest first. The order is that of modification time, which
// is the time of the last line; files of the same instant follow their number (3, 2, 1) or name. An
// unreadable directory has none.
[[nodiscard]] std::vector<LogSibling> log_siblings(const std::string& path);

}  // namespace mtrk
