#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// These functions read lists as Postfix does. Words stand between separators, and everything in
// braces is one word (postconf(5), mystrtokq() with CHARS_BRACE).
namespace mtrk::setup {

struct Word {
  std::size_t begin = 0;  // offset in the given text
  std::size_t end = 0;
  std::string text;  // with its braces, if any
};

// Braces that are not closed extend to the end of the text.
[[nodiscard]] std::vector<Word> split_words(std::string_view text, std::string_view separators);

// Returns whether every brace is closed and no closing brace lacks an opening one.
[[nodiscard]] bool braces_match(std::string_view text);

inline constexpr std::string_view kBlanks = " \t";
inline constexpr std::string_view kCommasAndBlanks = ", \t";

// Returns the text in the braces of a word without blanks at both ends, or the word itself if it
// has no braces.
[[nodiscard]] std::string_view without_braces(std::string_view word);

}  // namespace mtrk::setup
