#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mtrk::setup {

// Returns the changes between two texts in the form of `diff -u`, with three lines around each
// change and `path` in the two header lines. The result is empty if the texts are the same.
[[nodiscard]] std::string unified_diff(std::string_view path,
                                       std::string_view before,
                                       std::string_view after);

// Wraps a text of words and single blanks into lines of at most `width` columns. No word may be
// longer than that. Lines after the first are indented by `indent`.
[[nodiscard]] std::string fold_text(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace mtrk::setup
