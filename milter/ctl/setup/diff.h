#pragma once

#include <string>
#include <string_view>

namespace mtrk::setup {

// What changes between two texts, as `diff -u` shows it: three lines around each change, `path` in
// the two lines before. Empty if they are the same.
[[nodiscard]] std::string unified_diff(std::string_view path,
                                       std::string_view before,
                                       std::string_view after);

}  // namespace mtrk::setup
