#pragma once

#include <chrono>
#include <optional>
#include <string_view>

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

}  // namespace mtrk::systemd
