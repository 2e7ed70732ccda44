#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Lists as Postfix reads them: words between the separators, and what stands in braces is one word
// whatever is in it (postconf(5), mystrtokq() with CHARS_BRACE).
namespace mtrk::setup {

struct Word {
  std::size_t begin = 0;  // in the text that was given
  std::size_t end = 0;
  std::string text;  // with its braces, if it has some
};

// Braces that are not closed reach to the end of the text.
[[nodiscard]] std::vector<Word> split_words(std::string_view text, std::string_view separators);

// Whether each brace is closed, and none is closed that was not open.
[[nodiscard]] bool braces_match(std::string_view text);

inline constexpr std::string_view kBlanks = " \t";
inline constexpr std::string_view kCommasAndBlanks = ", \t";

// What is in the braces of a word, without the blanks at both ends; the word itself if it has none.
[[nodiscard]] std::string_view without_braces(std::string_view word);

}  // namespace mtrk::setup
