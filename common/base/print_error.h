#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace mtrk {

// Prints on standard error, like fmt::print(), but never throws: that nobody can be told what is
// wrong (a full disk behind 2>file) is no reason to leave undone what can be done.
template <typename... T>
void print_error(fmt::format_string<T...> format, T&&... values) noexcept {
  try {
    fmt::print(stderr, format, std::forward<T>(values)...);
  } catch (...) {
    return;
  }
}

}  // namespace mtrk
