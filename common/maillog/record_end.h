#pragma once

#include <optional>
#include <string_view>

// Where a log record ends. Terminals, collectors, editors and copies by way of the web leave
// something behind it: a carriage return, blanks, a NUL, a quote and a comma, an escape sequence,
// or any of these as written by a program that escapes ("#015", "\r", "^M", "\u001b[0m", "&quot;").
// None of it is the mail system's, and a record with it says what it says without it. All functions
// look at a bounded number of octets behind the end, and none is needed where a record ends as it
// should.
namespace mtrk::maillog {

// Whether this is nothing but such leftovers: short, and no letter or digit but those of an escape.
[[nodiscard]] bool is_litter(std::string_view tail);

// `text` up to and with the last `end` in it, if only litter follows.
[[nodiscard]] std::optional<std::string_view> up_to_last(std::string_view text, char end);

// Whether `text` is `words`, litter aside.
[[nodiscard]] bool is_just(std::string_view text, std::string_view words);

}  // namespace mtrk::maillog
