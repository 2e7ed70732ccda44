#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions connect a daemon with the service manager by libsystemd. All of them do nothing
// and succeed if the process was not started by systemd.
namespace mtrk::systemd {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
void notify_reloading();
void notify_stopping();
void notify_watchdog();
// Returns half of the watchdog's period, or nothing if none is set for this process.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval();

// A ListenSocket is a socket on which the service manager listens for us (sd_listen_fds(3)), with
// its FileDescriptorName=. take_listen_sockets() passes the ownership of the descriptors to the
// caller; a second call returns none.
struct ListenSocket {
  int fd;
  std::string name;
};
[[nodiscard]] std::vector<ListenSocket> take_listen_sockets();

}  // namespace mtrk::systemd
