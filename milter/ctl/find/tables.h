#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// These are sets of hashes (hash_of()) that are looked up once or twice for each line of a log.
// They are pure. They are not thread-safe for writers, but any number of threads may read while no
// thread writes.
namespace mtrk::find {

// A HashTable maps hashes to small numbers. It takes some 24 octets per entry.
class HashTable {
 public:
  HashTable() : slots_(64) {}

  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash) const {
    for (std::size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].hash == (hash | kUsed)) {
        return slots_[i].number;
      }
      if (slots_[i].hash == 0) {
        return std::nullopt;
      }
    }
  }
  // Returns false if the hash is in the table already.
  bool insert(std::uint64_t hash, std::uint32_t number) {
    if (find(hash)) {
      return false;
    }
    if (2 * (size_ + 1) > slots_.size()) {
      grow();
    }
    put(hash | kUsed, number);
    ++size_;
    return true;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  static constexpr std::uint64_t kUsed = std::uint64_t{1} << 63;
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;
  };

  void put(std::uint64_t hash, std::uint32_t number) {
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i].hash != 0) {
      i = (i + 1) & (slots_.size() - 1);
    }
    slots_[i] = {hash, number};
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.hash != 0) {
        put(slot.hash, slot.number);
      }
    }
  }

  std::vector<Slot> slots_;  // their number is a power of two
  std::size_t size_ = 0;
};

// Groups records which of the numbers 0 … n-1 belong together.
class Groups {
 public:
  std::uint32_t add() {
    parents_.push_back(static_cast<std::uint32_t>(parents_.size()));
    return parents_.back();
  }
  [[nodiscard]] std::uint32_t find(std::uint32_t number) {
    while (parents_[number] != number) {
      parents_[number] = parents_[parents_[number]];
      number = parents_[number];
    }
    return number;
  }
  void join(std::uint32_t a, std::uint32_t b) {
    a = find(a);
    b = find(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::uint32_t> parents_;
};

}  // namespace mtrk::find
