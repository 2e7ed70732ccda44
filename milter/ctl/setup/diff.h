#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mtrk::setup {

// What changes between two texts, as `diff -u` shows it: three lines around each change, `path` in
// the two lines before. Empty if they are the same.
[[nodiscard]] std::string unified_diff(std::string_view path,
                                       std::string_view before,
                                       std::string_view after);

// A text of words and single blanks in lines of at most `width` columns, where no word is longer;
// those after the first are indented by `indent`.
[[nodiscard]] std::string fold_text(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace mtrk::setup
