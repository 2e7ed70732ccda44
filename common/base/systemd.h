#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The service manager's side of a daemon, over libsystemd. All calls do nothing, and succeed, when
// the process was not started by systemd.
namespace mtrk::systemd {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();
// Half the watchdog's period, if one is set for this process.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

// Sockets that the service manager has bound and listens on for us (sd_listen_fds(3)), each with
// its FileDescriptorName=. The descriptors become the caller's; a second call finds none.
struct ListenSocket {
  int fd;
  std::string name;
};
[[nodiscard]] std::vector<ListenSocket> take_listen_sockets();

}  // namespace mtrk::systemd
