#include "common/base/systemd.h"

#include "common/base/ascii.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace mtrk::systemd {

namespace {

// A line break in a status would begin another assignment, so the status is escaped.
std::string status_line(std::string_view status) {
  return status.empty() ? std::string() : "STATUS=" + escape_for_people(status) + '\n';
}

}  // namespace

void notify_ready(std::string_view status) {
  sd_notify(0, ("READY=1\n" + status_line(status)).c_str());
}

void notify_status(std::string_view status) {
  sd_notify(0, status_line(status).c_str());
}

void notify_reloading() {
  // Type=notify-reload (systemd 253) needs the time as well; older versions ignore it.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
  sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", microseconds).c_str());
}

void notify_stopping() {
  sd_notify(0, "STOPPING=1\n");
}

void notify_watchdog() {
  sd_notify(0, "WATCHDOG=1\n");
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t period = 0;
  if (sd_watchdog_enabled(0, &period) <= 0) {
    return std::nullopt;
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(period / 2));
}

std::vector<ListenSocket> take_listen_sockets() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::vector<ListenSocket> sockets;
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    sockets.push_back({fd, names[i]});
    std::free(names[i]);
  }
  std::free(names);
  return sockets;
}

}  // namespace mtrk::systemd
