#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Looks for one text in much text, ASCII letters in any case: what a search over gigabytes of log
// spends its time with. Two octets of the needle that are rare in the text are looked for, at their
// distance, in sixteen places at once; only where both are is the rest compared.
namespace mtrk::find {

class Needle {
 public:
  // `sample` is some of the text that will be searched, to tell which octets are rare in it; it may
  // be empty. The needle is not.
  Needle(std::string_view needle, std::string_view sample);

  // Where it is in `text` at or behind `from`; npos if it is not. Linear but for texts that are
  // made to be slow. Thread-safe.
  [[nodiscard]] std::size_t find(std::string_view text, std::size_t from) const;
  [[nodiscard]] std::size_t size() const { return needle_.size(); }

 private:
  [[nodiscard]] bool is_at(const char* text) const;

  std::string needle_;     // in lower case
  std::size_t first_ = 0;  // the two places in it, the nearer one first
  std::size_t second_ = 0;
  std::uint8_t first_octet_ = 0;  // with the bit of its letter case set, if it is a letter
  std::uint8_t second_octet_ = 0;
  std::uint8_t first_fold_ = 0;  // that bit
  std::uint8_t second_fold_ = 0;
};

}  // namespace mtrk::find
