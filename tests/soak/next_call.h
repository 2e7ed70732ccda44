#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

// What the two preloaded libraries have in common: the function that they stand before, and whether
// a path is one that they are asked to look at.
//
// They are loaded with LD_PRELOAD into the programs as they are, so they use no more of C++ than
// needs no library, allocate nothing, and leave errno as the real call set it.
namespace mtrk::soak {

// The function of that name which would have been called without us. It is looked for at the first
// call, since other libraries may call us before our own start.
template <typename Function>
class NextCall {
 public:
  constexpr explicit NextCall(const char* name) : name_(name) {}

  template <typename... Arguments>
  auto operator()(Arguments... arguments) {
    Function* call = call_.load(std::memory_order_relaxed);
    if (call == nullptr) {
      call = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
      call_.store(call, std::memory_order_relaxed);
    }
    return call(arguments...);
  }

 private:
  const char* name_;
  std::atomic<Function*> call_{nullptr};
};

// The value of an environment variable; "" without it.
inline const char* setting(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

inline bool ends_with(const char* text, const char* end) {
  const std::size_t length = std::strlen(text);
  const std::size_t of_end = std::strlen(end);
  return length >= of_end && std::strcmp(text + length - of_end, end) == 0;
}

}  // namespace mtrk::soak

// Libraries that were built for files over 2 GiB call these instead, where both are the same.
#define MTRK_LARGE_FILE_NAME(name, result, ...) \
  extern "C" result name##64(__VA_ARGS__) __attribute__((alias(#name)))
