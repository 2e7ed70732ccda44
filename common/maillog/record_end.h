#pragma once

#include <optional>
#include <string_view>

// These functions find where a log record ends. Terminals, collectors, editors and copies from web
// pages leave something after it: a carriage return, blanks, a NUL, a quote and a comma, an escape
// sequence, or any of these as a program writes it that escapes ("#015", "\r", "^M", "\u001b[0m",
// "&quot;"). None of this comes from the mail system, so it does not change what a record says. All
// functions look at a bounded number of octets after the end, and none is needed for a record that
// ends as it should.
namespace mtrk::maillog {

// Returns whether `tail` is nothing but such leftovers: it is short, and has no letter or digit
// except those of an escape.
[[nodiscard]] bool is_litter(std::string_view tail);

// Returns `text` up to and including the last `end` in it, if only litter follows, and otherwise
// nothing.
[[nodiscard]] std::optional<std::string_view> up_to_last(std::string_view text, char end);

// Returns whether `text` is `words`, apart from litter.
[[nodiscard]] bool is_just(std::string_view text, std::string_view words);

}  // namespace mtrk::maillog
