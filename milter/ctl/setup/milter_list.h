#pragma once

#include "milter/ctl/setup/words.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions find our milter in the value of smtpd_milters. main.cf defines it once, as the
// parameter mtrk_milter, and the lists refer to that: `smtpd_milters = inet:localhost:8891,
// $mtrk_milter`. A list may keep the reference when the parameter is gone, because it then stands
// for nothing.
namespace mtrk::setup {

inline constexpr std::string_view kMilterParameter = "mtrk_milter";
inline constexpr std::string_view kMilterReference = "$mtrk_milter";

// Returns whether a word of the list is our milter: the reference, or an address that somebody
// wrote by hand, as an old README said. `addresses` are those of our socket, such as
// "unix:mtrk/milter.sock".
[[nodiscard]] bool is_our_milter(std::string_view word, const std::vector<std::string>& addresses);

// A Part is a part of the value that is ours, with the separators that belong to it.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};
[[nodiscard]] std::vector<Part> our_parts(std::string_view value,
                                          const std::vector<std::string>& addresses);

// Returns the names that a value refers to: $name, ${name}, $(name) (postconf(5)).
[[nodiscard]] std::vector<std::string> references(std::string_view value);

}  // namespace mtrk::setup
