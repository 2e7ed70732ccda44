#pragma once

#include <string>
#include <string_view>

namespace mtrk {

// Takes header-like text (RFC 5322 §2.2) apart, field by field, as liberally as strangers' reports
// need it: CRLF or LF, folded lines joined, blanks before the colon. Lines that are no field are
// skipped together with their continuations. Linear; name() and value() are views that live
// until the next call of next().
class FieldReader {
 public:
  enum class Item { field, blank_line, end };

  explicit FieldReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] Item next();
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view value() const { return value_; }  // trimmed
  [[nodiscard]] std::string_view rest() const { return rest_; }    // what was not yet read

 private:
  void take_continuations();

  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::string joined_;  // what value_ points into if the field was folded
};

// The first line of `text`, which loses it, without its CRLF or LF.
[[nodiscard]] std::string_view take_line(std::string_view& text);

}  // namespace mtrk
