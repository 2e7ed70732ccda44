#pragma once

#include "common/base/expected.h"
#include "common/net/asio.h"

#include <string>
#include <string_view>

namespace mtrk::net {

// "127.0.0.1:1038", "[::]:1038": an address literal and a port, 0 = any free one. Names are
// refused: a server that waits for DNS at start is a server that does not start.
[[nodiscard]] Expected<Tcp::endpoint> parse_endpoint(std::string_view text);

[[nodiscard]] std::string format_endpoint(const Tcp::endpoint& endpoint);

// A listening socket. "[::]" takes IPv4 as well, and is "0.0.0.0" where the system has no IPv6.
// With Sharing::threads several sockets of this process listen on one port and the kernel spreads
// connections over them (SO_REUSEPORT); that another process may not join in is tried first.
// What is accepted holds at most 256 KiB unsent, by the kernel's count.
// Fails: std::system_error naming the address.
enum class Sharing { none, threads };
[[nodiscard]] Acceptor open_listener(asio::io_context& context,
                                     Tcp::endpoint endpoint,
                                     Sharing sharing);
// A duplicate of a socket that listens already. Fails: std::system_error, if it does not, or is not
// TCP.
[[nodiscard]] Acceptor adopt_listener(asio::io_context& context, int fd);
// Fails, like open_listener(), if anybody listens on `endpoint` already.
void require_free(const Tcp::endpoint& endpoint);

// Keepalive 60/15/4 (peers that vanish, THR-D7), no Nagle delay. Errors do not matter.
void tune(Socket& socket);

}  // namespace mtrk::net
