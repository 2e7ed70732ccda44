#pragma once

#include <string.h>

#include <string>

namespace mtrk {

// Overwrites a text that held a secret, in a way the compiler may not drop, and empties it.
inline void wipe(std::string& text) noexcept {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace mtrk
