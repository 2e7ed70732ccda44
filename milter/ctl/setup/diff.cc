#include "milter/ctl/setup/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace mtrk::setup {
namespace {

constexpr std::size_t kAround = 3;
// The size limit of the table. Larger differences are shown as one change.
constexpr std::size_t kMaxCells = std::size_t{4} << 20;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t feed = text.find('\n');
    const std::size_t size = feed == std::string_view::npos ? text.size() : feed + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

struct Step {
  char kind = ' ';  // ' ' in both, '-' only in the first, '+' only in the second text
  std::string_view line;
};

// Finds the shortest way from a to b, whose first and last lines differ.
void steps_between(const std::vector<std::string_view>& a,
                   const std::vector<std::string_view>& b,
                   std::vector<Step>& steps) {
  const std::size_t width = b.size() + 1;
  if ((a.size() + 1) * width > kMaxCells) {
    for (const std::string_view line : a) {
      steps.push_back({'-', line});
    }
    for (const std::string_view line : b) {
      steps.push_back({'+', line});
    }
    return;
  }
  // common[i * width + j] is how many lines a from i and b from j have in common, in their order.
  std::vector<std::uint32_t> common((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i * width + j] =
          a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1
                       : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      steps.push_back({' ', a[i]});
      ++i;
      ++j;
    } else if (j == b.size() ||
               (i < a.size() && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      steps.push_back({'-', a[i++]});
    } else {
      steps.push_back({'+', b[j++]});
    }
  }
}

std::vector<Step> all_steps(std::string_view before, std::string_view after) {
  std::vector<std::string_view> a = lines_of(before);
  std::vector<std::string_view> b = lines_of(after);
  const auto from = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto same_before = from.first - a.begin();
  std::size_t same_after = 0;
  while (same_after < a.size() - static_cast<std::size_t>(same_before) &&
         same_after < b.size() - static_cast<std::size_t>(same_before) &&
         a[a.size() - 1 - same_after] == b[b.size() - 1 - same_after]) {
    ++same_after;
  }
  const auto tail = static_cast<std::ptrdiff_t>(same_after);
  std::vector<Step> steps;
  std::transform(a.begin(), from.first, std::back_inserter(steps), [](std::string_view line) {
    return Step{' ', line};
  });
  steps_between({from.first, a.end() - tail}, {from.second, b.end() - tail}, steps);
  std::transform(a.end() - tail, a.end(), std::back_inserter(steps), [](std::string_view line) {
    return Step{' ', line};
  });
  return steps;
}

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before, std::string_view after) {
  if (before == after) {
    return {};
  }
  const std::vector<Step> steps = all_steps(before, after);
  std::string text = fmt::format("--- {0}\n+++ {0}\n", path);
  std::size_t line_a = 1;
  std::size_t line_b = 1;
  for (std::size_t at = 0; at < steps.size();) {
    // Two changes are shown together if they are at most twice the surrounding lines apart.
    std::size_t first = at;
    while (first < steps.size() && steps[first].kind == ' ') {
      ++first;
    }
    if (first == steps.size()) {
      break;
    }
    const std::size_t begin = std::max(at, first < kAround ? 0 : first - kAround);
    std::size_t last = first;
    for (std::size_t i = first; i < steps.size() && i <= last + 2 * kAround; ++i) {
      if (steps[i].kind != ' ') {
        last = i;
      }
    }
    const std::size_t end = std::min(steps.size(), last + kAround + 1);
    line_a += begin - at;
    line_b += begin - at;
    std::size_t in_a = 0;
    std::size_t in_b = 0;
    std::string hunk;
    for (std::size_t i = begin; i < end; ++i) {
      in_a += steps[i].kind != '+' ? 1U : 0U;
      in_b += steps[i].kind != '-' ? 1U : 0U;
      hunk.push_back(steps[i].kind);
      hunk.append(steps[i].line);
      if (!steps[i].line.ends_with('\n')) {
        hunk += "\n\\ No newline at end of file\n";
      }
    }
    text += fmt::format("@@ -{},{} +{},{} @@\n{}", in_a == 0 ? line_a - 1 : line_a, in_a,
                        in_b == 0 ? line_b - 1 : line_b, in_b, hunk);
    line_a += in_a;
    line_b += in_b;
    at = end;
  }
  return text;
}

std::string fold_text(std::string_view text, std::size_t width, std::size_t indent) {
  std::string folded;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (column > 0 && column + 1 + word.size() > width) {
      folded += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      folded += ' ';
      ++column;
    }
    folded += word;
    column += word.size();
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return folded;
}

}  // namespace mtrk::setup
