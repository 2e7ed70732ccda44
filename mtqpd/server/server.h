#pragma once

#include "mtqpd/server/worker.h"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::mtqpd {

// The whole server without its process: workers and their threads, one listener for each address
// and thread. All calls from one thread, the owner's.
class Server {
 public:
  // `threads` 0: one for each processor this process may use. Binds, but does not serve yet.
  // Fails: std::system_error naming the address.
  Server(const std::vector<net::Tcp::endpoint>& listen,
         const std::vector<net::Tcp::endpoint>& listen_tls,
         unsigned threads,
         std::shared_ptr<const Settings> settings,
         const QueryService& queries);
  ~Server();  // stops what still runs
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on a socket that is bound and listens already, and takes it. Before start().
  // Fails: std::system_error, if it is not a TCP socket that listens.
  void adopt(int fd, Connection::Starts starts);
  void start();
  void apply(const std::shared_ptr<const Settings>& settings);  // for connections from now on
  void drain();
  void stop();                          // now
  [[nodiscard]] bool finished() const;  // drained: nothing runs any more
  void join();

  // With their real ports, in the order given.
  [[nodiscard]] const std::vector<net::Tcp::endpoint>& addresses() const { return addresses_; }
  [[nodiscard]] const std::vector<net::Tcp::endpoint>& tls_addresses() const {
    return tls_addresses_;
  }
  [[nodiscard]] std::size_t threads() const { return workers_.size(); }
  [[nodiscard]] std::size_t connections() const { return limiter_.connections(); }
  [[nodiscard]] std::size_t sources() const { return limiter_.sources(); }
  // The worker that moved least.
  [[nodiscard]] std::uint64_t least_beats() const;
  [[nodiscard]] ServerCounters::Values counters() const;  // of all workers

 private:
  [[nodiscard]] std::vector<net::Tcp::endpoint> listen_on(
      const std::vector<net::Tcp::endpoint>& endpoints, Connection::Starts starts);

  AddressLimiter limiter_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<net::Tcp::endpoint> addresses_;
  std::vector<net::Tcp::endpoint> tls_addresses_;
  std::atomic<std::size_t> running_{0};
  std::vector<std::thread> threads_;
};

}  // namespace mtrk::mtqpd
