#include "common/net/listener.h"

#include "common/config/host_port.h"

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace mtrk::net {
namespace {

// This limits what the kernel holds for a peer that does not read (THR-D4). The kernel's own limit
// is 4 MiB, and a few such peers could take that memory from the mail system. Answers are small.
// Accepted sockets inherit the limit.
constexpr int kSendBuffer = 256 * 1024;

void set_option(int fd, int level, int name, int value) {
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

[[noreturn]] void fail_with(const Tcp::endpoint& endpoint, const error_code& error) {
  throw std::system_error(error.value(), std::generic_category(),
                          "cannot listen on " + format_endpoint(endpoint));
}

void check(const Tcp::endpoint& endpoint, const error_code& error) {
  if (error) {
    fail_with(endpoint, error);
  }
}

}  // namespace

Expected<Tcp::endpoint> parse_endpoint(std::string_view text) {
  const Expected<HostPort> host_port = parse_host_port(text);
  if (!host_port) {
    return Unexpected(host_port.error());
  }
  error_code error;
  const asio::ip::address address = asio::ip::make_address(host_port->host, error);
  if (error) {
    return fail(
        ErrorCode::syntax,
        fmt::format("\"{}\" is not an IP address and a port; \"[::]:1038\" is every address",
                    text));
  }
  return Tcp::endpoint(address, host_port->port);
}

std::string format_endpoint(const Tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

Acceptor open_listener(asio::io_context& context, Tcp::endpoint endpoint, Sharing sharing) {
  Acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  const bool any_address = endpoint.address().is_v6() && endpoint.address().is_unspecified();
  if (error == boost::system::errc::address_family_not_supported && any_address) {
    endpoint = Tcp::endpoint(asio::ip::address_v4::any(), endpoint.port());
    acceptor.open(endpoint.protocol(), error);
  }
  check(endpoint, error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  check(endpoint, error);
  if (any_address && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
    check(endpoint, error);
  }
  if (sharing == Sharing::threads) {
    set_option(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, 1);
  }
  set_option(acceptor.native_handle(), SOL_SOCKET, SO_SNDBUF, kSendBuffer);
  acceptor.bind(endpoint, error);
  check(endpoint, error);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  check(endpoint, error);
  return acceptor;
}

Acceptor adopt_listener(asio::io_context& context, int fd) {
  const auto option = [fd](int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  const int domain = option(SO_DOMAIN);
  if (option(SO_ACCEPTCONN) != 1 || option(SO_PROTOCOL) != IPPROTO_TCP ||
      (domain != AF_INET && domain != AF_INET6)) {
    throw std::system_error(EINVAL, std::generic_category(),
                            "the socket that was handed over is not one that listens by TCP");
  }
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) {
    throw std::system_error(errno, std::generic_category(), "the socket that was handed over");
  }
  set_option(own, SOL_SOCKET, SO_SNDBUF, kSendBuffer);
  return {context, domain == AF_INET ? Tcp::v4() : Tcp::v6(), own};
}

// Without this check, SO_REUSEPORT would let a second mtqpd of the same user take half of the
// connections unnoticed.
void require_free(const Tcp::endpoint& endpoint) {
  if (endpoint.port() != 0) {
    asio::io_context context;
    static_cast<void>(open_listener(context, endpoint, Sharing::none));
  }
}

void tune(Socket& socket) {
  const int fd = socket.native_handle();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

}  // namespace mtrk::net
