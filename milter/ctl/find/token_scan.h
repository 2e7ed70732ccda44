#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

// A TokenScan looks for some hundreds of queue ids at once in raw log text. It finds them where a
// record has its own id ("ID: ") and where it names another one ("… as ID)" at the end of its
// line). It does not split lines: it looks for such word ends in sixteen octets at a time, and
// looks up the last octets before each in a small bitmap. A hit needs a closer look, but no such
// place is missed.
namespace mtrk::find {

class TokenScan {
 public:
  // `id` must have six or more letters and digits.
  void add(std::string_view id) {
    shortest_ = ids_ == 0 || id.size() < shortest_ ? id.size() : shortest_;
    ++ids_;
    endings_.push_back(ending_of(id));
  }
  // Must be called when all ids have been added.
  void prepare();
  [[nodiscard]] std::size_t size() const { return ids_; }

  // Calls visit(place) for each word that may be such an id, in their order. `place` is the offset
  // after the word.
  template <typename Visit>
  void scan(std::string_view text, Visit visit) const {
    std::size_t at = 0;
    // A word with too few octets before its end is at the front of the text and is always reported.
    for (; at < kEnding && at < text.size(); ++at) {
      if (is_end(text, at)) {
        visit(at);
      }
    }
    const auto look = [&](std::size_t place) {
      if (may_be(load(text.data() + place - kEnding))) {
        visit(place);
      }
    };
    while (at + 4 * kStep + 1 <= text.size()) {
      std::uint64_t ends = 0;  // one bit per octet
      for (std::size_t i = 0; i < 4; ++i) {
        ends |= ends_in(text.data() + at + i * kStep) << i * kStep;
      }
      for (; ends != 0; ends &= ends - 1) {
        look(at + static_cast<std::size_t>(std::countr_zero(ends)));
      }
      at += 4 * kStep;
    }
    for (; at < text.size(); ++at) {
      if (is_end(text, at)) {
        look(at);
      }
    }
  }

 private:
  static constexpr std::size_t kEnding = 8;
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kBits = std::size_t{1} << 18;
  using Octets = std::uint8_t __attribute__((vector_size(16)));

  static std::uint64_t load(const char* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    if constexpr (std::endian::native == std::endian::big) {
      word = __builtin_bswap64(word);
    }
    return word;
  }
  static Octets load_octets(const char* from) {
    Octets octets;
    std::memcpy(&octets, from, sizeof octets);
    return octets;
  }
  // Returns the last octets of the id, with the last one in the highest position.
  static std::uint64_t ending_of(std::string_view id) {
    char last[kEnding] = {};
    const std::size_t size = id.size() < kEnding ? id.size() : kEnding;
    std::memcpy(last + kEnding - size, id.data() + id.size() - size, size);
    return load(last);
  }
  static bool is_end(std::string_view text, std::size_t at) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\n';
    return (text[at] == ':' && next == ' ') || (text[at] == ')' && (next == '\n' || next == '\r'));
  }
  // Returns which of sixteen octets are such ends, one bit for each. There must be one octet before
  // and one after them. The end of the tag ("]: ") does not matter.
  static std::uint64_t ends_in(const char* text) {
    const Octets before = load_octets(text - 1);
    const Octets here = load_octets(text);
    const Octets next = load_octets(text + 1);
    const auto ends = ((here == ':') & (next == ' ') & (before != ']')) |
                      ((here == ')') & ((next == '\n') | (next == '\r')));
#ifdef __SSE2__
    using Signed = char __attribute__((vector_size(16)));
    Signed mask;
    std::memcpy(&mask, &ends, sizeof mask);
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(mask));
#else
    std::uint8_t octets[kStep];
    std::memcpy(octets, &ends, sizeof octets);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < kStep; ++i) {
      bits |= std::uint64_t{octets[i] & 1U} << i;
    }
    return bits;
#endif
  }
  [[nodiscard]] std::size_t bit_of(std::uint64_t ending) const {
    constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15;
    return static_cast<std::size_t>(((ending & mask_) * kMix) >> 46);
  }
  [[nodiscard]] bool may_be(std::uint64_t ending) const {
    const std::size_t bit = bit_of(ending);
    return (bitmap_[bit / 64] >> bit % 64 & 1U) != 0;
  }

  std::size_t ids_ = 0;
  std::size_t shortest_ = 0;
  std::uint64_t mask_ = 0;  // masks the octets that even the shortest id has
  std::vector<std::uint64_t> endings_;
  std::vector<std::uint64_t> bitmap_;
};

inline void TokenScan::prepare() {
  const std::size_t octets = shortest_ < kEnding && ids_ > 0 ? shortest_ : kEnding;
  mask_ =
      octets == kEnding ? ~std::uint64_t{0} : ~((std::uint64_t{1} << 8 * (kEnding - octets)) - 1);
  bitmap_.assign(kBits / 64, 0);
  for (const std::uint64_t ending : endings_) {
    const std::size_t bit = bit_of(ending);
    bitmap_[bit / 64] |= std::uint64_t{1} << bit % 64;
  }
  endings_.clear();
}

}  // namespace mtrk::find
