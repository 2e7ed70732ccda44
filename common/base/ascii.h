#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

// These functions classify, compare and escape text octet by octet, independently of the locale.
// Mail protocols are ASCII; octets above 127 are never changed, and none of the predicates holds
// for them.
namespace mtrk {

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] constexpr bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}
[[nodiscard]] constexpr bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}
[[nodiscard]] constexpr bool is_vchar(char c) {
  return c > ' ' && c < '\x7f';
}  // 33..126
[[nodiscard]] constexpr bool is_printable(char c) {
  return c >= ' ' && c < '\x7f';
}  // 32..126
[[nodiscard]] constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Returns whether is_printable() holds for every octet. It tests eight octets at a time, because
// nearly all texts pass.
[[nodiscard]] bool all_printable(std::string_view text);
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);
[[nodiscard]] bool istarts_with(std::string_view text, std::string_view prefix);
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string_view trim(std::string_view text);  // removes SP and TAB at both ends

// Parses the whole of `text` as a number of type T. Returns nothing if `text` is empty, out of
// range or holds anything else, such as blanks, or a sign where T is unsigned.
template <typename T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value, base);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) {
    return std::nullopt;
  }
  return value;
}

// Escapes `text` for log lines, terminals and error messages: every octet outside 32..126 becomes
// \xHH. The result is cut at `limit` octets; "[cut]" is then appended to it.
[[nodiscard]] std::string escape_for_people(std::string_view text, std::size_t limit = 512);

}  // namespace mtrk
