#include "common/net/dns_channel.h"

#include <sys/time.h>

#include <algorithm>

namespace mtrk::net {
namespace {

constexpr int kFirstTimeout = 2000;  // milliseconds; c-ares doubles it for each round of servers
constexpr int kTries = 3;

}  // namespace

struct DnsChannel::Watched {
  Watched(const Executor& executor, ares_socket_t fd) : descriptor(executor, fd) {}

  Descriptor descriptor;
  bool open = true;  // false: c-ares has closed it, and the channel may be gone
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;  // a wait is in progress
  bool writing = false;
};

DnsChannel::DnsChannel(Executor executor, const DnsOptions& options, Search search)
    : executor_(std::move(executor)), wake_(executor_) {
  ares_options settings{};
  int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (search == Search::no) {
    // ares_getaddrinfo() of c-ares 1.18 does not look at the flag, hence the empty list as well.
    settings.flags = ARES_FLAG_NOSEARCH;
    settings.ndomains = 0;
    given |= ARES_OPT_DOMAINS;
  }
  settings.timeout = kFirstTimeout;
  settings.tries = kTries;
  settings.sock_state_cb = on_socket_state;
  settings.sock_state_cb_data = this;
  int status = ares_init_options(&channel_, &settings, given);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
  } else if (!options.servers.empty()) {
    status = ares_set_servers_ports_csv(channel_, options.servers.c_str());
  }
  if (status != ARES_SUCCESS) {
    trouble_ = std::string("the resolver cannot be used: ") + ares_strerror(status);
  }
}

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) {
    ares_destroy(channel_);  // closes every socket through on_socket_state()
  }
}

void DnsChannel::query_ends() noexcept {
  if (--pending_ == 0) {
    wake_.cancel();
  }
}

// c-ares reports for which events of a socket it waits; it passes 0, 0 just before it closes the
// socket.
void DnsChannel::on_socket_state(void* self, ares_socket_t fd, int read, int write) noexcept {
  auto& channel = *static_cast<DnsChannel*>(self);
  const auto found = channel.sockets_.find(fd);
  if (read == 0 && write == 0) {
    if (found != channel.sockets_.end()) {
      found->second->open = false;
      found->second->descriptor.release();  // ends the waits; c-ares closes the socket
      channel.sockets_.erase(found);
    }
    return;
  }
  std::shared_ptr<Watched>& socket = channel.sockets_[fd];
  if (!socket) {
    socket = std::make_shared<Watched>(channel.executor_, fd);
  }
  socket->wants_read = read != 0;
  socket->wants_write = write != 0;
  channel.watch(socket);
}

void DnsChannel::watch(const std::shared_ptr<Watched>& socket) {
  if (socket->wants_read && !socket->reading) {
    arm(socket, &Watched::reading, true);
  }
  if (socket->wants_write && !socket->writing) {
    arm(socket, &Watched::writing, false);
  }
}

void DnsChannel::arm(const std::shared_ptr<Watched>& socket,
                     bool Watched::*armed,
                     bool for_reading) {
  (*socket).*armed = true;
  socket->descriptor.async_wait(for_reading ? Descriptor::wait_read : Descriptor::wait_write,
                                [this, socket, armed, for_reading](const error_code& error) {
                                  (*socket).*armed = false;
                                  if (error || !socket->open) {  // `this` may be gone
                                    return;
                                  }
                                  const ares_socket_t fd = socket->descriptor.native_handle();
                                  ares_process_fd(channel_, for_reading ? fd : ARES_SOCKET_BAD,
                                                  for_reading ? ARES_SOCKET_BAD : fd);
                                  if (socket->open) {
                                    watch(socket);
                                  }
                                });
}

Clock::time_point DnsChannel::next_retry(Clock::time_point end) const {
  timeval room{};
  const timeval* left = ares_timeout(channel_, nullptr, &room);
  if (left == nullptr) {
    return end;
  }
  return std::min(end, Clock::now() + std::chrono::seconds(left->tv_sec) +
                           std::chrono::microseconds(left->tv_usec));
}

Awaitable<void> DnsChannel::finish(Clock::time_point end) {
  while (pending_ > 0 && Clock::now() < end) {
    wake_.expires_at(next_retry(end));
    static_cast<void>(co_await wake_.async_wait(kAwait));
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // sends again what is due
  }
  if (pending_ > 0) {
    ares_cancel(channel_);
  }
}

}  // namespace mtrk::net
