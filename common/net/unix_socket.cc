#include "common/net/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mtrk::net {

tl::expected<Socket, error_code> connect_unix(const Executor& executor, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return tl::make_unexpected(error_code(ENAMETOOLONG, boost::system::system_category()));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const error_code error(errno, boost::system::system_category());
    if (fd >= 0) {
      ::close(fd);
    }
    return tl::make_unexpected(error);
  }
  Socket socket(executor);
  error_code error;
  socket.assign(Tcp::v4(), fd, error);
  if (error) {
    ::close(fd);
    return tl::make_unexpected(error);
  }
  return socket;
}

}  // namespace mtrk::net
