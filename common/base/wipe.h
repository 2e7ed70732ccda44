#pragma once

#include <string.h>

#include <string>

namespace mtrk {

// Overwrites a text that held a secret, in a way that the compiler may not optimise away, and
// empties it.
inline void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // includes the remains of an earlier, longer value
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace mtrk
