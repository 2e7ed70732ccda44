#include "common/config/gate_socket.h"

#include <string_view>

namespace mtrk {

std::string gate_socket_path(const Config& config) {
  // Both values have been checked: they are unix: or local: with an absolute path or, for
  // milter.socket only, inet: or inet6:.
  const auto path_of = [](std::string_view socket) { return socket.substr(socket.find(':') + 1); };
  const std::string& own = config.milter.gate_socket;
  if (!own.empty()) {
    return std::string(path_of(own));
  }
  constexpr std::string_view kName = "gate.sock";
  const std::string_view path = path_of(config.milter.socket);
  const std::string_view folder =
      path.starts_with('/') ? path.substr(0, path.rfind('/') + 1) : "/run/mtrk/";
  return std::string(folder).append(kName);
}

}  // namespace mtrk
