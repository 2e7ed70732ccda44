#pragma once

#include <string>
#include <string_view>

namespace mtrk::setup {

// Returns mtrk.conf with section.key = value, where `value` is TOML. It replaces the line of this
// key if there is one. Otherwise it puts the value below the commented default, at the top of the
// section, or into a new section at the end, in this order of preference. It only edits text: the
// caller must check with parse_config() that the file then says what was meant.
[[nodiscard]] std::string with_config_key(std::string_view file,
                                          std::string_view section,
                                          std::string_view key,
                                          std::string_view value);

}  // namespace mtrk::setup
