#include "common/maillog/record_end.h"

#include "common/base/ascii.h"

#include <algorithm>

namespace mtrk::maillog {
namespace {

constexpr std::size_t kMostLitter = 40;
constexpr std::size_t kLongestEscape = 5;  // "u001b", "quot"

// Returns whether `c` may precede the letters of an escape.
bool announces_escape(char c) {
  return std::string_view("\\#^[;%&</").find(c) != std::string_view::npos;
}

}  // namespace

bool is_litter(std::string_view tail) {
  if (tail.size() > kMostLitter) {
    return false;
  }
  std::size_t run = 0;  // number of letters and digits up to here
  for (std::size_t i = 0; i < tail.size(); ++i) {
    run = is_alnum(tail[i]) ? run + 1 : 0;
    const bool unannounced = run == 1 && (i == 0 || !announces_escape(tail[i - 1]));
    if (unannounced || run > kLongestEscape) {
      return false;
    }
  }
  return true;
}

std::optional<std::string_view> up_to_last(std::string_view text, char end) {
  const std::size_t from = text.size() - std::min(text.size(), kMostLitter + 1);
  const std::size_t last = text.substr(from).rfind(end);
  if (last == std::string_view::npos || !is_litter(text.substr(from + last + 1))) {
    return std::nullopt;
  }
  return text.substr(0, from + last + 1);
}

bool is_just(std::string_view text, std::string_view words) {
  return text.substr(0, words.size()) == words &&
         (text.size() == words.size() || is_litter(text.substr(words.size())));
}

}  // namespace mtrk::maillog
