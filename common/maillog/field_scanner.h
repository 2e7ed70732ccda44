#pragma once

#include "common/base/ascii.h"

#include <cstring>
#include <optional>
#include <string_view>

// A FieldScanner reads the fields of a log text from the left, by position. It never searches for a
// field that is not next. Its functions are inlined everywhere, so that what is passed in registers
// is not written to memory and read again.
namespace mtrk::maillog {

class FieldScanner {
 public:
  explicit FieldScanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  void skip(std::size_t octets) { rest_.remove_prefix(octets); }

  // Consumes `literal` and returns true if it comes next.
  [[nodiscard, gnu::always_inline]] bool take(std::string_view literal) {
    if (rest_.size() < literal.size() ||
        std::memcmp(rest_.data(), literal.data(), literal.size()) != 0) {
      return false;
    }
    rest_.remove_prefix(literal.size());
    return true;
  }

  // Returns everything before the next ", " and consumes both. Returns nothing if there is none.
  [[nodiscard, gnu::always_inline]] std::optional<std::string_view> take_field() {
    const std::size_t comma = rest_.find(", ");
    if (comma == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view field = rest_.substr(0, comma);
    rest_.remove_prefix(comma + 2);
    return field;
  }

  // Takes letters, digits and '-': "sent", "force-expired", a queue id.
  [[nodiscard, gnu::always_inline]] std::string_view take_word() {
    std::size_t i = 0;
    while (i < rest_.size() && (is_alnum(rest_[i]) || rest_[i] == '-')) {
      ++i;
    }
    const std::string_view word = rest_.substr(0, i);
    rest_.remove_prefix(i);
    return word;
  }

  // Takes "<address>" in external form; the result is a view without the brackets. Postfix quotes
  // the local part as a whole or not at all, so only a quote directly after '<' hides a '>'.
  [[nodiscard, gnu::always_inline]] std::optional<std::string_view> take_address() {
    if (rest_.empty() || rest_[0] != '<') {
      return std::nullopt;
    }
    std::size_t i = 1;
    if (i < rest_.size() && rest_[i] == '"') {
      for (++i; i < rest_.size() && rest_[i] != '"'; ++i) {
        if (rest_[i] == '\\') {
          ++i;
        }
      }
    }
    const std::size_t close = i < rest_.size() ? rest_.find('>', i) : std::string_view::npos;
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view address = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    return address;
  }

 private:
  std::string_view rest_;
};

}  // namespace mtrk::maillog
