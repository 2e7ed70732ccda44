#include "milter/base/socket.h"

#include "common/base/ascii.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace mtrk {
namespace {

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host == "::1") {
    return true;
  }
  // Accepts 127.0.0.0/8, in dotted quads only.
  int parts = 0;
  bool good = host.starts_with("127.");
  while (good && !host.empty()) {
    const std::size_t dot = host.find('.');
    good = parse_number<std::uint8_t>(host.substr(0, dot)).has_value();
    host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
    ++parts;
  }
  return good && parts == 4;
}

Expected<MilterAddress> parse_tcp(std::string_view family, std::string_view rest) {
  const std::size_t at = rest.find('@');
  const std::string_view host = at == std::string_view::npos ? "" : rest.substr(at + 1);
  if (!parse_number<std::uint16_t>(rest.substr(0, at)).has_value()) {
    return fail(ErrorCode::syntax, "a TCP socket is inet:PORT@127.0.0.1");
  }
  if (!is_loopback(host)) {
    return fail(ErrorCode::not_allowed,
                "the milter protocol has no authentication: unix sockets and loopback only");
  }
  return MilterAddress{true, {}, fmt::format("{}:{}", family, rest)};
}

}  // namespace

Expected<MilterAddress> parse_milter_address(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view family = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (family == "inet" || family == "inet6") {
    return parse_tcp(family, rest);
  }
  if (family != "unix" && family != "local") {
    return fail(ErrorCode::syntax, "unix:/path or inet:PORT@127.0.0.1 is needed");
  }
  MilterAddress address{false, std::string(rest), {}};
  if (!rest.starts_with('/') || rest.ends_with('/')) {
    return fail(ErrorCode::syntax, "the path of the socket must be absolute");
  }
  const std::string bound = PublishedSocket::private_path(address.path);
  if (std::max(bound.size(), rest.size()) >= sizeof(sockaddr_un::sun_path)) {
    return fail(ErrorCode::too_long, "the path of the socket is too long");
  }
  address.connection = "unix:" + bound;
  return address;
}

std::string PublishedSocket::private_path(const std::string& public_path) {
  const std::size_t slash = public_path.rfind('/');
  return fmt::format("{}m.{}.sock", public_path.substr(0, slash + 1), ::getpid());
}

PublishedSocket::PublishedSocket(const std::string& bound_path, std::string public_path)
    : public_path_(std::move(public_path)),
      handle_(::open(bound_path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
  struct stat status {};
  struct stat present {};
  const auto broken = [&](const std::string& what) {
    return std::system_error(errno, std::system_category(), what);
  };
  if (!handle_ || ::fstat(handle_.get(), &status) != 0) {
    throw broken(bound_path);
  }
  if (::lstat(public_path_.c_str(), &present) == 0 && !S_ISSOCK(present.st_mode)) {
    errno = ENOTSOCK;
    throw broken(public_path_);
  }
  if (std::rename(bound_path.c_str(), public_path_.c_str()) != 0) {
    throw broken(public_path_);
  }
  id_ = {status.st_dev, status.st_ino};
  published_ = true;
}

void PublishedSocket::unpublish() {
  struct stat status {};
  if (!std::exchange(published_, false)) {
    return;
  }
  if (::lstat(public_path_.c_str(), &status) == 0 && FileId{status.st_dev, status.st_ino} == id_) {
    ::unlink(public_path_.c_str());
  }
}

void PublishedSocket::knock() const {
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}", handle_.get());
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace mtrk
