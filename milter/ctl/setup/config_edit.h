#pragma once

#include <string>
#include <string_view>

namespace mtrk::setup {

// mtrk.conf with section.key = value, where `value` is TOML. A line of this key is replaced; else
// the value is put below its commented default, else at the top of its section, else in a new
// section at the end. Pure text: whether the file then says what was meant is for the caller to
// see, with parse_config().
[[nodiscard]] std::string with_config_key(std::string_view file,
                                          std::string_view section,
                                          std::string_view key,
                                          std::string_view value);

}  // namespace mtrk::setup
