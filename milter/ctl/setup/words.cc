#include "milter/ctl/setup/words.h"

#include "common/base/ascii.h"

namespace mtrk::setup {

std::vector<Word> split_words(std::string_view text, std::string_view separators) {
  std::vector<Word> words;
  std::size_t depth = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (depth == 0 && separators.find(c) != std::string_view::npos) {
      in_word = false;
      continue;
    }
    if (!in_word) {
      words.push_back({i, i, {}});
      in_word = true;
    }
    if (c == '{') {
      ++depth;
    } else if (c == '}' && depth > 0) {
      --depth;
    }
    words.back().end = i + 1;
  }
  for (Word& word : words) {
    word.text = text.substr(word.begin, word.end - word.begin);
  }
  return words;
}

bool braces_match(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (depth < 0) {
      return false;
    }
  }
  return depth == 0;
}

std::string_view without_braces(std::string_view word) {
  if (word.size() >= 2 && word.front() == '{' && word.back() == '}') {
    return trim(word.substr(1, word.size() - 2));
  }
  return word;
}

}  // namespace mtrk::setup
