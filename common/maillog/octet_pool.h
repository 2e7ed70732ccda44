#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace mtrk::maillog {

// An OctetPool reuses blocks of one size. A busy log makes and drops thousands of small copies a
// second, and malloc(3) took a tenth of the time for reading it. The pool must outlive its blocks.
// Not thread-safe.
class OctetPool {
 public:
  static constexpr std::size_t kBlock = 256;      // octets
  static constexpr std::size_t kMostKept = 8192;  // free blocks

  // A Return gives a block back to its pool, or to the heap if it came from there.
  struct Return {
    OctetPool* pool = nullptr;
    void operator()(char* block) const { pool == nullptr ? delete[] block : pool->put_back(block); }
  };
  using Block = std::unique_ptr<char[], Return>;

  // Returns a block of at least that many octets. It comes from the heap if it is larger than
  // kBlock or if `pool` is null.
  [[nodiscard]] static Block take(OctetPool* pool, std::size_t octets) {
    if (pool == nullptr || octets > kBlock) {
      return Block(new char[octets], Return{});
    }
    return Block(pool->take_block(), Return{pool});
  }

 private:
  [[nodiscard]] char* take_block() {
    if (free_.empty()) {
      return new char[kBlock];
    }
    char* const block = free_.back().release();
    free_.pop_back();
    return block;
  }
  void put_back(char* block) {
    std::unique_ptr<char[]> owned(block);
    if (free_.size() < kMostKept) {
      free_.push_back(std::move(owned));
    }
  }

  std::vector<std::unique_ptr<char[]>> free_;
};

}  // namespace mtrk::maillog
