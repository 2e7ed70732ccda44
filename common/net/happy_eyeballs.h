#pragma once

#include "common/net/asio.h"

#include <tl/expected.hpp>

#include <chrono>
#include <vector>

namespace mtrk::net {

// RFC 8305 §5: the next address is tried after this time, or once the attempt before has failed.
inline constexpr std::chrono::milliseconds kConnectionAttemptDelay{250};

struct Connected {
  Socket socket;
  Tcp::endpoint endpoint;
};
// Connects to one of `endpoints`. The attempts begin in their order, staggered by `delay` (RFC
// 8305); the first that succeeds is returned and the others are abandoned. Fails with the error of
// the last attempt that failed, or with timed_out at `end`. No connection outlives a coroutine that
// is cancelled or destroyed.
[[nodiscard]] Awaitable<tl::expected<Connected, error_code>> connect_first(
    std::vector<Tcp::endpoint> endpoints,
    Clock::time_point end,
    Clock::duration delay = kConnectionAttemptDelay);

}  // namespace mtrk::net
