#include "milter/ctl/setup/milter_list.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk::setup {

bool is_our_milter(std::string_view word, const std::vector<std::string>& addresses) {
  if (word == kMilterReference || word == "${mtrk_milter}" || word == "$(mtrk_milter)") {
    return true;
  }
  const std::vector<Word> inner = split_words(without_braces(word), kCommasAndBlanks);
  return !inner.empty() &&
         std::find(addresses.begin(), addresses.end(), inner.front().text) != addresses.end();
}

std::vector<Part> our_parts(std::string_view value, const std::vector<std::string>& addresses) {
  const std::vector<Word> words = split_words(value, kCommasAndBlanks);
  std::vector<Part> parts;
  std::size_t kept_end = 0;  // end of the last word that is not ours
  bool kept = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!is_our_milter(words[i].text, addresses)) {
      kept_end = words[i].end;
      kept = true;
      continue;
    }
    // The separators before a part are removed with it. If it is the first of several words, those
    // after it are removed instead.
    const bool first_of_more = !kept && i + 1 < words.size();
    const std::size_t begin = first_of_more                                   ? words[i].begin
                              : parts.empty() || parts.back().end <= kept_end ? kept_end
                                                                              : parts.back().end;
    const std::size_t end = first_of_more ? words[i + 1].begin : words[i].end;
    parts.push_back({begin, end});
  }
  return parts;
}

std::vector<std::string> references(std::string_view value) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < value.size(); ++i) {
    if (value[i] != '$') {
      continue;
    }
    if (value[i + 1] == '$') {
      ++i;
      continue;
    }
    std::size_t from = i + 1;
    if (value[from] == '{' || value[from] == '(') {
      ++from;
    }
    std::size_t to = from;
    while (to < value.size() && (is_alnum(value[to]) || value[to] == '_')) {
      ++to;
    }
    if (to > from) {
      names.emplace_back(value.substr(from, to - from));
    }
  }
  return names;
}

}  // namespace mtrk::setup
