#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

// Sets of hashes (hash_of()), asked once or twice for each line of a log. Pure; not thread-safe for
// writers, but any number of threads may ask while nobody writes.
namespace mtrk::find {

// From hashes to small numbers. Memory: some 24 octets an entry.
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
  // False if it is there already.
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

  std::vector<Slot> slots_;  // a power of two of them
  std::size_t size_ = 0;
};

// Which of the numbers 0 … n-1 belong together.
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
