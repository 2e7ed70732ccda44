// A library for LD_PRELOAD: the program's wall clock is $SHIFTED_CLOCK seconds ahead, what it
// measures time with is not. The files of the system keep their own time.
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

#include <cstdlib>

namespace {

using ClockGettime = int (*)(clockid_t, timespec*);

time_t shift() {
  static const char* const seconds = std::getenv("SHIFTED_CLOCK");
  return seconds == nullptr ? 0 : std::atol(seconds);
}

int shifted(clockid_t clock, timespec* now) {
  static const auto kSystem = reinterpret_cast<ClockGettime>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = kSystem(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    now->tv_sec += shift();
  }
  return result;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  return shifted(clock, now);
}

time_t time(time_t* now) noexcept {
  timespec exact{};
  shifted(CLOCK_REALTIME, &exact);
  if (now != nullptr) {
    *now = exact.tv_sec;
  }
  return exact.tv_sec;
}

int gettimeofday(timeval* now, void* /*zone*/) noexcept {
  timespec exact{};
  const int result = shifted(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return result;
}

}  // extern "C"
