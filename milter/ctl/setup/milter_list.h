#pragma once

#include "milter/ctl/setup/words.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The value of smtpd_milters: which of the milters is ours. main.cf names it once, as the parameter
// mtrk_milter, and the lists refer to that: `smtpd_milters = inet:localhost:8891, $mtrk_milter`. A
// list that still has the reference when the parameter is gone is right, too: it then stands for
// nothing.
namespace mtrk::setup {

inline constexpr std::string_view kMilterParameter = "mtrk_milter";
inline constexpr std::string_view kMilterReference = "$mtrk_milter";

// Whether a word of the list is our milter: the reference, or one that somebody has written by
// hand, as the README of old said it. `addresses` are those of our socket, such as
// "unix:mtrk/milter.sock".
[[nodiscard]] bool is_our_milter(std::string_view word, const std::vector<std::string>& addresses);

// A part of the value that is ours, with the separators that go with it.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};
[[nodiscard]] std::vector<Part> our_parts(std::string_view value,
                                          const std::vector<std::string>& addresses);

// The names that a value refers to: $name, ${name}, $(name) (postconf(5)).
[[nodiscard]] std::vector<std::string> references(std::string_view value);

}  // namespace mtrk::setup
