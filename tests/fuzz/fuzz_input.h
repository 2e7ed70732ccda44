#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mtrk {

// Decisions and texts taken from a fuzzer's input; zeros and empty texts when it is used up.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] unsigned octet() {
    if (rest_.empty()) {
      return 0;
    }
    const unsigned char value = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }
  [[nodiscard]] unsigned below(unsigned limit) { return octet() % limit; }
  // Up to `limit` octets; the first one says how many.
  [[nodiscard]] std::string text(std::size_t limit = 255) {
    const std::size_t length = std::min({std::size_t{octet()}, limit, rest_.size()});
    std::string value(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return value;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace mtrk
