#include "common/base/ascii.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace mtrk {
namespace {

// Returns a mask with the high bit set in each octet that is not printable. The carries of the
// additions cannot mislead: a borrow or carry into the next octet comes from an octet that is
// itself bad.
std::uint64_t unprintable(const char* eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t octets = 0;
  std::memcpy(&octets, eight, sizeof octets);
  const std::uint64_t bad = (octets - kEach * ' ') | octets | (octets + kEach);  // <32, >127, 127
  return bad & kEach * 0x80;
}

}  // namespace

bool all_printable(std::string_view text) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  if (text.size() < kStep) {
    return std::all_of(text.begin(), text.end(), is_printable);
  }
  std::uint64_t bad = 0;
  const std::size_t last = text.size() - kStep;
  for (std::size_t i = 0; i < last; i += kStep) {
    bad |= unprintable(text.data() + i);
  }
  return (bad | unprintable(text.data() + last)) == 0;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && istarts_with(a, b);
}

bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = to_lower(c);
  }
  return lower;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_wsp(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_wsp(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::string escape_for_people(std::string_view text, std::size_t limit) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(std::min(text.size(), limit));
  for (const char c : text) {
    const std::size_t width = is_printable(c) ? 1 : 4;
    if (out.size() + width > limit) {
      return out += "[cut]";
    }
    if (width == 1) {
      out += c;
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out += {'\\', 'x', kHex[octet >> 4], kHex[octet & 15]};
    }
  }
  return out;
}

}  // namespace mtrk
