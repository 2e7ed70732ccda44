#pragma once

#include "common/base/expected.h"
#include "common/net/asio.h"

#include <string>
#include <string_view>

namespace mtrk::net {

// Parses an address literal with a port, like "127.0.0.1:1038" or "[::]:1038"; port 0 means any
// free one. Names are refused, because a server that depends on the DNS at its start may not start.
[[nodiscard]] Expected<Tcp::endpoint> parse_endpoint(std::string_view text);

[[nodiscard]] std::string format_endpoint(const Tcp::endpoint& endpoint);

// Opens a listening socket. "[::]" also accepts IPv4, and becomes "0.0.0.0" if the system has no
// IPv6. With Sharing::threads several sockets of this process can listen on one port, and the
// kernel distributes the connections (SO_REUSEPORT); use require_free() first to find out whether
// another process listens there. Accepted sockets hold at most 256 KiB of unsent data, as the
// kernel counts them. Throws std::system_error that names the address.
enum class Sharing { none, threads };
[[nodiscard]] Acceptor open_listener(asio::io_context& context,
                                     Tcp::endpoint endpoint,
                                     Sharing sharing);
// Returns a duplicate of a socket that already listens. Throws std::system_error if it does not
// listen or is not a TCP socket.
[[nodiscard]] Acceptor adopt_listener(asio::io_context& context, int fd);
// Throws like open_listener() if another socket already listens on `endpoint`.
void require_free(const Tcp::endpoint& endpoint);

// Sets keepalive to 60/15/4 (for peers that vanish, THR-D7), and disables Nagle's delay. Ignores
// errors.
void tune(Socket& socket);

}  // namespace mtrk::net
