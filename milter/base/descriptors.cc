#include "milter/base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace mtrk {
namespace {

constexpr std::uint64_t kLeastReserve = 8;
constexpr std::uint64_t kMostReserve = 64;
constexpr std::uint64_t kReserveDivisor = 16;  // of the limit
constexpr std::chrono::minutes kComplainEvery{1};

std::uint64_t soft_limit() {
  rlimit files{};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 1024;
}

}  // namespace

void raise_descriptor_limit() noexcept {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
  }
}

Descriptors::Descriptors()
    : limit_(soft_limit()),
      reserve_(std::clamp(limit_ / kReserveDivisor, kLeastReserve, kMostReserve)),
      probe_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

// The system gives out the lowest descriptor that is free, so its number shows about how many are
// in use.
bool Descriptors::left() const {
  const UniqueFd lowest(::fcntl(probe_.get(), F_DUPFD_CLOEXEC, 0));
  return lowest && static_cast<std::uint64_t>(lowest.get()) + reserve_ < limit_;
}

bool Descriptors::may_complain(std::chrono::steady_clock::time_point now) {
  const auto time = now.time_since_epoch().count();
  auto before = complained_.load();
  const auto pause = std::chrono::steady_clock::duration(kComplainEvery).count();
  return (before == 0 || time - before >= pause) &&
         complained_.compare_exchange_strong(before, time);
}

}  // namespace mtrk
