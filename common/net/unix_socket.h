#pragma once

#include "common/net/asio.h"

#include <tl/expected.hpp>

#include <string>

namespace mtrk::net {

// A connection to a unix socket, as a Socket: what is written and read does not depend on the kind
// of address, and who has one knows that it has none to ask for. Connecting does not wait: a server
// that is behind with its clients is an error.
[[nodiscard]] tl::expected<Socket, error_code> connect_unix(const Executor& executor,
                                                            const std::string& path);

}  // namespace mtrk::net
