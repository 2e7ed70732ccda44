#pragma once

#include "common/net/asio.h"

#include <tl/expected.hpp>

#include <string>

namespace mtrk::net {

// Connects to a Unix socket and returns it as a Socket: reading and writing do not depend on the
// kind of address, but the caller must not ask for the address. Connecting does not wait: it fails
// if the server's queue is full.
[[nodiscard]] tl::expected<Socket, error_code> connect_unix(const Executor& executor,
                                                            const std::string& path);

}  // namespace mtrk::net
