#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What record_io wrote down, in the order in which it happened.
namespace mtrk::soak {

struct IoEntry {
  char kind;             // see record_io.cc
  std::uint64_t offset;  // of a write; the exit status of X
  std::string octets;
};

// Throws std::runtime_error if the file cannot be read or is no whole journal.
[[nodiscard]] std::vector<IoEntry> read_io_journal(const std::string& path);

}  // namespace mtrk::soak
