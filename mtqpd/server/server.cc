#include "mtqpd/server/server.h"

#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/unique_fd.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

namespace mtrk::mtqpd {
namespace {

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace

Server::Server(const std::vector<net::Tcp::endpoint>& listen,
               const std::vector<net::Tcp::endpoint>& listen_tls,
               unsigned threads,
               std::shared_ptr<const Settings> settings,
               const QueryService& queries) {
  const unsigned count = threads != 0 ? threads : processors();
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(settings, queries, limiter_));
  }
  addresses_ = listen_on(listen, Connection::Starts::plain);
  tls_addresses_ = listen_on(listen_tls, Connection::Starts::with_tls);
}

Server::~Server() {
  stop();
  join();
}

std::vector<net::Tcp::endpoint> Server::listen_on(const std::vector<net::Tcp::endpoint>& endpoints,
                                                  Connection::Starts starts) {
  const net::Sharing sharing = workers_.size() > 1 ? net::Sharing::threads : net::Sharing::none;
  std::vector<net::Tcp::endpoint> bound;
  for (net::Tcp::endpoint endpoint : endpoints) {
    net::require_free(endpoint);
    for (const std::unique_ptr<Worker>& worker : workers_) {
      endpoint = worker->listen(endpoint, sharing, starts);  // the first one finds out the port
    }
    bound.push_back(endpoint);
  }
  return bound;
}

void Server::adopt(int fd, Connection::Starts starts) {
  const UniqueFd socket(fd);
  net::Tcp::endpoint endpoint;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    endpoint = worker->adopt(socket.get(), starts);
  }
  (starts == Connection::Starts::plain ? addresses_ : tls_addresses_).push_back(endpoint);
}

void Server::start() {
  running_ = workers_.size();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    threads_.emplace_back([this, raw = worker.get()] {
      try {
        raw->run();
      } catch (const std::exception& error) {
        // If a thread ended alone, its listener's clients would wait, so the process starts anew.
        log::error("", {{"mtqpd", "a thread ended"}, {"reason", error.what()}});
        std::_Exit(exit_code::software);
      }
      --running_;
    });
  }
}

void Server::apply(const std::shared_ptr<const Settings>& settings) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->apply(settings);
  }
}

void Server::drain() {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->drain();
  }
}

void Server::stop() {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->stop();
  }
}

bool Server::finished() const {
  return running_ == 0;
}

void Server::join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

std::uint64_t Server::least_beats() const {
  std::uint64_t least = UINT64_MAX;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    least = std::min(least, worker->beats());
  }
  return least;
}

ServerCounters::Values Server::counters() const {
  ServerCounters::Values sums{};
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->counters().add_to(sums);
  }
  return sums;
}

}  // namespace mtrk::mtqpd
