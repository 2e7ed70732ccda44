#pragma once

#include "common/net/asio.h"
#include "common/net/listener.h"
#include "mtqpd/server/address_limiter.h"
#include "mtqpd/server/connection.h"
#include "mtqpd/server/query_service.h"
#include "mtqpd/server/settings.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>

namespace mtrk::mtqpd {

// One thread's share of the server: an io_context, its listeners, its connections. Only listen(),
// apply(), drain(), stop() and beats() may be called from other threads, listen() before run().
class Worker {
 public:
  Worker(std::shared_ptr<const Settings> settings,
         const QueryService& queries,
         AddressLimiter& limiter);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The endpoint with its real port. Fails: std::system_error.
  [[nodiscard]] net::Tcp::endpoint listen(const net::Tcp::endpoint& endpoint,
                                          net::Sharing sharing,
                                          Connection::Starts starts);
  // The same on a duplicate of a socket that listens already.
  [[nodiscard]] net::Tcp::endpoint adopt(int fd, Connection::Starts starts);
  // The thread's body: returns when drained or stopped.
  void run();

  void apply(std::shared_ptr<const Settings> settings);
  void drain();  // accept nothing more, end idle connections, let the others finish
  void stop() { context_.stop(); }

  // Grows as long as the thread is alive: what the watchdog looks at.
  [[nodiscard]] std::uint64_t beats() const { return beats_.load(std::memory_order_relaxed); }
  [[nodiscard]] const ServerCounters& counters() const { return connections_.counters(); }

 private:
  struct Listener {
    net::Acceptor acceptor;
    Connection::Starts starts;
  };
  [[nodiscard]] net::Awaitable<void> accept_all(Listener& listener);
  [[nodiscard]] net::Awaitable<void> sweep();
  void admit(net::Socket socket, Connection::Starts starts);

  // Suspended coroutines, and with them connections, end in the destructor of `context_`, so what
  // they refer to stands before it; what refers to it stands behind it.
  std::shared_ptr<const Settings> settings_;
  const QueryService& queries_;
  AddressLimiter& limiter_;
  ConnectionSet connections_;
  std::atomic<std::uint64_t> beats_{0};
  net::asio::io_context context_{1};
  std::list<Listener> listeners_;
  net::Timer sweep_timer_{context_};
};

}  // namespace mtrk::mtqpd
