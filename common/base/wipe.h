#pragma once

#include <string.h>

#include <string>

namespace mtrk {

// Overwrites a text that held a secret, in a way the compiler may not drop, and empties it.
inline void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // also what an earlier, longer value left behind
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace mtrk
