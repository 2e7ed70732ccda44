#pragma once

#include "mtqpd/server/worker.h"

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::mtqpd {

// A Server owns the workers and their threads, with one listener for each address and thread. All
// calls come from one thread, the owner's.
class Server {
 public:
  // Binds, but does not serve yet. If `threads` is 0 there is one for each processor that this
  // process may use. Throws std::system_error, which names the address.
  Server(const std::vector<net::Tcp::endpoint>& listen,
         const std::vector<net::Tcp::endpoint>& listen_tls,
         unsigned threads,
         std::shared_ptr<const Settings> settings,
         const QueryService& queries);
  ~Server();  // stops what still runs
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Takes over a socket that is bound and listens already. To be called before start(). Throws
  // std::system_error if it is not a listening TCP socket.
  void adopt(int fd, Connection::Starts starts);
  void start();
  void apply(const std::shared_ptr<const Settings>& settings);  // for new connections
  void drain();
  // Ends the server without waiting for answers.
  void stop();
  // Returns true once nothing runs any more.
  [[nodiscard]] bool finished() const;
  void join();

  // Return the addresses that are listened on, with their real ports, in the order given.
  [[nodiscard]] const std::vector<net::Tcp::endpoint>& addresses() const { return addresses_; }
  [[nodiscard]] const std::vector<net::Tcp::endpoint>& tls_addresses() const {
    return tls_addresses_;
  }
  [[nodiscard]] std::size_t threads() const { return workers_.size(); }
  [[nodiscard]] std::size_t connections() const { return limiter_.connections(); }
  [[nodiscard]] std::size_t sources() const { return limiter_.sources(); }
  // Returns the lowest Worker::beats() of all workers.
  [[nodiscard]] std::uint64_t least_beats() const;
  [[nodiscard]] ServerCounters::Values counters() const;  // of all workers together

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
