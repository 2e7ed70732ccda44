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

// A Worker is one thread's share of the server: an io_context, its listeners and its connections.
// Other threads may call only apply(), drain(), stop() and beats(), and listen() before run().
class Worker {
 public:
  Worker(std::shared_ptr<const Settings> settings,
         const QueryService& queries,
         AddressLimiter& limiter);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Returns the endpoint with its real port. Throws std::system_error.
  [[nodiscard]] net::Tcp::endpoint listen(const net::Tcp::endpoint& endpoint,
                                          net::Sharing sharing,
                                          Connection::Starts starts);
  // Does the same with a duplicate of a socket that listens already.
  [[nodiscard]] net::Tcp::endpoint adopt(int fd, Connection::Starts starts);
  // Runs the thread, and returns when the worker is drained or stopped.
  void run();

  void apply(std::shared_ptr<const Settings> settings);
  // Accepts nothing more, ends idle connections, and lets the others finish.
  void drain();
  void stop() { context_.stop(); }

  // Returns a number that grows as long as the thread is alive, for the watchdog.
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

  // The destructor of `context_` ends suspended coroutines, and with them connections. So what they
  // refer to is declared before it, and what refers to it after it.
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
