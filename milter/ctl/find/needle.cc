#include "milter/ctl/find/needle.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace mtrk::find {
namespace {

constexpr std::uint8_t kCase = 0x20;  // the bit that distinguishes capital and small letters

// These vectors of the compiler handle sixteen octets at once.
using Octets = std::uint8_t __attribute__((vector_size(16)));
constexpr std::size_t kStep = sizeof(Octets);
constexpr std::size_t kUnrolled = 4;

Octets load(const char* from) {
  Octets octets;
  std::memcpy(&octets, from, sizeof octets);
  return octets;
}

Octets all_of(std::uint8_t octet) {
  Octets octets{};
  return octets + octet;
}

bool any(Octets mask) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), &mask, sizeof mask);
  return (halves[0] | halves[1]) != 0;
}

std::uint8_t fold_of(char c) {
  return is_alpha(c) ? kCase : std::uint8_t{0};
}

}  // namespace

Needle::Needle(std::string_view needle, std::string_view sample) : needle_(to_lower(needle)) {
  assert(!needle_.empty());
  std::array<std::size_t, 256> count{};
  for (const char c : sample) {
    ++count[static_cast<unsigned char>(mtrk::to_lower(c))];
  }
  const auto rarer = [&](std::size_t a, std::size_t b) {
    return count[static_cast<unsigned char>(needle_[a])] <
           count[static_cast<unsigned char>(needle_[b])];
  };
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    first_ = rarer(i, first_) ? i : first_;
  }
  second_ = first_ == 0 ? needle_.size() - 1 : 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    const bool other = i != first_ && needle_[i] != needle_[first_];
    second_ = other && (rarer(i, second_) || second_ == first_) ? i : second_;
  }
  if (second_ < first_) {
    std::swap(first_, second_);
  }
  first_octet_ = static_cast<std::uint8_t>(needle_[first_]);
  second_octet_ = static_cast<std::uint8_t>(needle_[second_]);
  first_fold_ = fold_of(needle_[first_]);
  second_fold_ = fold_of(needle_[second_]);
}

bool Needle::is_at(const char* text) const {
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if (mtrk::to_lower(text[i]) != needle_[i]) {
      return false;
    }
  }
  return true;
}

std::size_t Needle::find(std::string_view text, std::size_t from) const {
  if (text.size() < needle_.size() || from > text.size() - needle_.size()) {
    return std::string_view::npos;
  }
  const char* const base = text.data();
  const std::size_t last = text.size() - needle_.size();  // the last place where it may begin
  const Octets first = all_of(first_octet_);
  const Octets second = all_of(second_octet_);
  const Octets first_fold = all_of(first_fold_);
  const Octets second_fold = all_of(second_fold_);
  const auto hits = [&](std::size_t at) {
    const Octets a = load(base + at + first_) | first_fold;
    const Octets b = load(base + at + second_) | second_fold;
    return (a == first) & (b == second);
  };
  std::size_t at = from;
  while (at + kUnrolled * kStep <= last + 1) {
    const auto found = hits(at) | hits(at + kStep) | hits(at + 2 * kStep) | hits(at + 3 * kStep);
    Octets mask;
    std::memcpy(&mask, &found, sizeof mask);
    if (any(mask)) {
      for (std::size_t i = 0; i < kUnrolled * kStep; ++i) {
        const bool may_be =
            (static_cast<std::uint8_t>(base[at + i + first_]) | first_fold_) == first_octet_ &&
            (static_cast<std::uint8_t>(base[at + i + second_]) | second_fold_) == second_octet_;
        if (may_be && is_at(base + at + i)) {
          return at + i;
        }
      }
    }
    at += kUnrolled * kStep;
  }
  for (; at <= last; ++at) {
    if (is_at(base + at)) {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace mtrk::find
