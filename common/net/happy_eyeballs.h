#pragma once

#include "common/net/asio.h"

#include <tl/expected.hpp>

#include <chrono>
#include <vector>

namespace mtrk::net {

// RFC 8305 §5: the next address is tried when this much time has passed, or the one before failed.
inline constexpr std::chrono::milliseconds kConnectionAttemptDelay{250};

struct Connected {
  Socket socket;
  Tcp::endpoint endpoint;
};
// The first connection that is made to one of `endpoints`, which are begun in their order,
// staggered (RFC 8305); the others are given up. Fails: the error of the last one that failed, or
// timed_out when `end` comes. No connection outlives a coroutine that was cancelled or destroyed.
[[nodiscard]] Awaitable<tl::expected<Connected, error_code>> connect_first(
    std::vector<Tcp::endpoint> endpoints,
    Clock::time_point end,
    Clock::duration delay = kConnectionAttemptDelay);

}  // namespace mtrk::net
