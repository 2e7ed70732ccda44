#include "common/maillog/other_field.h"

#include "common/base/ascii.h"

#include <algorithm>
#include <array>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kLongestKey = 32;

// Returns the length of a value that opens with a quote or contains one: the octets up to ", "
// outside of quotes.
std::optional<std::size_t> length_of_value(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && text.substr(i, 2) == ", ") {
      return i;
    }
  }
  return std::nullopt;
}

std::string_view without_entities(std::string_view address) {
  constexpr std::string_view kLess = "&lt;";
  constexpr std::string_view kGreater = "&gt;";
  const bool both = address.size() >= kLess.size() + kGreater.size() &&
                    address.substr(0, kLess.size()) == kLess &&
                    address.substr(address.size() - kGreater.size()) == kGreater;
  return both ? address.substr(kLess.size(), address.size() - kLess.size() - kGreater.size())
              : address;
}

}  // namespace

std::optional<std::string_view> take_other_field(FieldScanner& scan) {
  const std::string_view text = scan.rest();
  std::size_t length = 0;
  while (length < text.size() && length <= kLongestKey &&
         (is_alnum(text[length]) || text[length] == '_' || text[length] == '-')) {
    ++length;
  }
  if (length == 0 || length > kLongestKey || length == text.size() || text[length] != '=') {
    return std::nullopt;
  }
  FieldScanner value(text.substr(length + 1));
  if (value.rest().substr(0, 1) == "<") {
    if (!value.take_address() || !value.take(", ")) {
      return std::nullopt;
    }
  } else {
    const std::optional<std::size_t> end = length_of_value(value.rest());
    if (!end) {
      return std::nullopt;
    }
    value.skip(*end + 2);
  }
  scan = value;
  return text.substr(0, length);
}

bool holds_fields(std::string_view text) {
  constexpr std::array<std::string_view, 3> kBeforeText = {", status=", ", stat=", ", dsn="};
  return std::any_of(kBeforeText.begin(), kBeforeText.end(), [text](std::string_view key) {
    return text.find(key) != std::string_view::npos;
  });
}

std::optional<std::string_view> take_bare_address(FieldScanner& scan) {
  const std::string_view text = scan.rest();
  const std::size_t length = text.find(',');
  if (length == 0 || length == std::string_view::npos || text.substr(length, 2) != ", ") {
    return std::nullopt;
  }
  const std::string_view address = text.substr(0, length);
  const bool plain = std::none_of(address.begin(), address.end(), [](char c) {
    constexpr std::string_view kSpecials = "\"<>()\\";
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7F' ||
           kSpecials.find(c) != std::string_view::npos;
  });
  if (!plain || address[0] == '[' || address[0] == '{') {
    return std::nullopt;
  }
  scan.skip(length);
  return without_entities(address);
}

}  // namespace mtrk::maillog
