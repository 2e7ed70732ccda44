#pragma once

#include <string>
#include <string_view>

namespace mtrk {

// A FieldReader splits header-like text (RFC 5322 §2.2) into fields, in linear time. It is as
// liberal as reports of other systems require: it accepts CRLF or LF and blanks before the colon,
// and joins folded lines. A line that is not a field is skipped together with its continuation
// lines. name() and value() are views that are valid until the next call of next().
class FieldReader {
 public:
  enum class Item { field, blank_line, end };

  explicit FieldReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] Item next();
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::string_view value() const { return value_; }  // trimmed
  [[nodiscard]] std::string_view rest() const { return rest_; }    // what has not been read yet

 private:
  void take_continuations();

  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  std::string joined_;  // value_ points into it if the field was folded
};

// Removes the first line from `text` and returns it without its CRLF or LF.
[[nodiscard]] std::string_view take_line(std::string_view& text);

}  // namespace mtrk
