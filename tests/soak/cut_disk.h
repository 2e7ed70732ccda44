#pragma once

#include "tests/soak/io_journal.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

// A disk under one file, and what a power cut may leave of it. What was synced is there. Of
// everything written since, any set of sectors of 512 octets may be there and any may not, whatever
// the order in which they were written; a sector itself is whole, the old one or a new one. The
// file is as long as what is there of it.
namespace mtrk::soak {

class CutDisk {
 public:
  static constexpr std::uint64_t kSector = 512;

  // With `syncs` false the disk lies: nothing is ever synced. Then a store has to get lost, which
  // shows that who looks for losses can see them.
  explicit CutDisk(bool syncs) : syncs_(syncs) {}

  void apply(const IoEntry& entry);         // a call that returned
  [[nodiscard]] std::string whole() const;  // the file, if the power stays

  struct Image {
    std::string octets;
    std::uint64_t unsynced = 0;  // sectors of which it was open whether they are there
    std::uint64_t missing = 0;   // of these, not there
  };
  // The power is cut during the call `in_flight`, which may have done none, some or all of its
  // work.
  [[nodiscard]] Image cut(const IoEntry& in_flight, std::mt19937_64& random) const;

 private:
  void sync();

  bool syncs_;
  std::string synced_;
  std::vector<IoEntry> pending_;  // writes since the last sync, and changes of the length
};

}  // namespace mtrk::soak
