#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace mtrk {

// Prints to standard error like fmt::print(), but never throws: a message that cannot be written
// (because the disk is full, for example) must not stop the rest of the work.
template <typename... T>
void print_error(fmt::format_string<T...> format, T&&... values) noexcept {
  try {
    fmt::print(stderr, format, std::forward<T>(values)...);
  } catch (...) {
    return;
  }
}

}  // namespace mtrk
