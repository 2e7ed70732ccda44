#include "common/base/systemd.h"

#include "common/base/unique_fd.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace mtrk::systemd {
namespace {

// A service manager: an abstract datagram socket that NOTIFY_SOCKET names.
class ServiceManager {
 public:
  ServiceManager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    const std::string name = fmt::format("@mtrk-systemd-test-{}", ::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data() + 1, name.size() - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~ServiceManager() { ::unsetenv("NOTIFY_SOCKET"); }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  std::string next() {
    char buffer[1024];
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    return n < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(n));
  }

 private:
  UniqueFd socket_;
};

TEST(SystemdTest, WithoutAManagerNothingHappens) {
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  notify_ready("ready");
  notify_watchdog();
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST(SystemdTest, TellsStateAndStatus) {
  ServiceManager manager;
  notify_ready("listening");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=listening\n");
  notify_status("store\nMAINPID=1");
  EXPECT_EQ(manager.next(), "STATUS=store\\x0aMAINPID=1\n");
  notify_watchdog();
  EXPECT_EQ(manager.next(), "WATCHDOG=1\n");
  notify_reloading();
  EXPECT_EQ(manager.next().substr(0, 27), "RELOADING=1\nMONOTONIC_USEC=");
  notify_stopping();
  EXPECT_EQ(manager.next(), "STOPPING=1\n");
}

TEST(SystemdTest, WatchdogIsFedAtHalfItsPeriodAndOnlyIfItIsOurs) {
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(15));
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace mtrk::systemd
