#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// A Needle finds one text in a large text and ignores the case of ASCII letters. A search over
// gigabytes of log spends most of its time here. It looks for two octets of the needle that are
// rare in the text, at their distance, in sixteen places at once. Only where both match does it
// compare the rest.
namespace mtrk::find {

class Needle {
 public:
  // `sample` is a part of the text that will be searched. It shows which octets are rare, and may
  // be empty. `needle` must not be empty.
  Needle(std::string_view needle, std::string_view sample);

  // Returns the first match in `text` at or after `from`, or npos if there is none. The time is
  // linear except for texts that are made to be slow. Thread-safe.
  [[nodiscard]] std::size_t find(std::string_view text, std::size_t from) const;
  [[nodiscard]] std::size_t size() const { return needle_.size(); }

 private:
  [[nodiscard]] bool is_at(const char* text) const;

  std::string needle_;     // in lower case
  std::size_t first_ = 0;  // indexes of the two octets, the nearer one first
  std::size_t second_ = 0;
  std::uint8_t first_octet_ = 0;  // with its letter-case bit set, if it is a letter
  std::uint8_t second_octet_ = 0;
  std::uint8_t first_fold_ = 0;  // that bit, or 0
  std::uint8_t second_fold_ = 0;
};

}  // namespace mtrk::find
