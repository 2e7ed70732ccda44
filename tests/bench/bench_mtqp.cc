// Asks a running mtqpd over kept connections, each with `depth` TRACK commands on their way at a
// time, and says how many were answered a second, and how long one batch took.
//
//   bench_mtqp --port N --messages N [--connections N] [--depth N] [--seconds N] [--idle N]
//
// Asks for the envelope ids bench-0@example.com … that tests/bench/run-mtqp has imported. --idle
// opens as many more connections that say nothing, from 127.0.0.2 on.
#include "common/base/ascii.h"
#include "common/base/unique_fd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kSecret = "AAECAwQFBgcICQoLDA0ODw==";
constexpr std::string_view kAnswerEnd = "\r\n.\r\n";
constexpr unsigned kIdlePerAddress = 20000;

struct Options {
  unsigned port = 0;
  unsigned messages = 0;
  unsigned connections = 16;
  unsigned depth = 16;
  unsigned seconds = 5;
  unsigned idle = 0;
};

Options read_options(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, unsigned*> known{
      {"--port", &options.port},   {"--messages", &options.messages},
      {"--depth", &options.depth}, {"--connections", &options.connections},
      {"--idle", &options.idle},   {"--seconds", &options.seconds}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto option = known.find(argv[i]);
    const auto value = mtrk::parse_number<unsigned>(argv[i + 1]);
    if (option == known.end() || !value) {
      throw std::invalid_argument(argv[i]);
    }
    *option->second = *value;
  }
  if (options.port == 0 || options.messages == 0) {
    throw std::invalid_argument("--port and --messages are needed");
  }
  return options;
}

mtrk::UniqueFd connect_to(unsigned port, unsigned source) {
  mtrk::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  const bool bound = source == 0 || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                                           sizeof address) == 0;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (!bound ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Counts the ends of answers in a stream, whatever the pieces it comes in.
class AnswerCounter {
 public:
  unsigned count(std::string_view piece) {
    unsigned ends = 0;
    for (const char c : piece) {
      matched_ = c == kAnswerEnd[matched_] ? matched_ + 1 : c == '\r' ? 1 : 0;
      if (matched_ == kAnswerEnd.size()) {
        ++ends;
        matched_ = 0;
      }
    }
    return ends;
  }

 private:
  std::size_t matched_ = 0;
};

struct Connection {
  mtrk::UniqueFd fd;
  AnswerCounter counter;
  unsigned waiting = 0;
  Clock::time_point sent_at;
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(options.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].fd = connect_to(options.port, 0);
      std::array<char, 512> greeting{};
      if (::recv(connections_[i].fd.get(), greeting.data(), greeting.size(), 0) <= 0 ||
          greeting[0] != '+') {
        throw std::runtime_error("no positive greeting");
      }
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connections_[i].fd.get(), &event);
    }
  }

  void run() {
    const Clock::time_point start = Clock::now();
    const Clock::time_point end = start + std::chrono::seconds(options_.seconds);
    for (Connection& connection : connections_) {
      send_batch(connection);
    }
    while (Clock::now() < end) {
      std::array<epoll_event, 64> events{};
      const int ready =
          ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 1000);
      if (ready <= 0) {
        throw std::runtime_error("the server does not answer");
      }
      for (int i = 0; i < ready; ++i) {
        receive(connections_[events[static_cast<std::size_t>(i)].data.u64]);
      }
    }
    report(std::chrono::duration<double>(Clock::now() - start).count());
  }

 private:
  void send_batch(Connection& connection) {
    batch_.clear();
    for (unsigned i = 0; i < options_.depth; ++i) {
      next_ = (next_ + 7919) % options_.messages;  // a prime: all over the store
      batch_.append("TRACK bench-").append(std::to_string(next_)).append("@example.com ");
      batch_.append(kSecret).append("\r\n");
    }
    connection.waiting = options_.depth;
    connection.sent_at = Clock::now();
    if (::send(connection.fd.get(), batch_.data(), batch_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(batch_.size())) {
      throw std::runtime_error("send");
    }
  }

  void receive(Connection& connection) {
    const ssize_t length = ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (length <= 0) {
      throw std::runtime_error("the server closed a connection");
    }
    const std::string_view piece(buffer_.data(), static_cast<std::size_t>(length));
    const unsigned ends = connection.counter.count(piece);
    octets_ += piece.size();
    answers_ += ends;
    connection.waiting -= std::min(ends, connection.waiting);
    if (connection.waiting == 0) {
      times_.push_back(Clock::now() - connection.sent_at);
      send_batch(connection);
    }
  }

  void report(double seconds) {
    std::sort(times_.begin(), times_.end());
    const auto percentile = [&](std::size_t percent) {
      const Clock::duration time = times_.at((times_.size() - 1) * percent / 100);
      return std::chrono::duration<double, std::micro>(time).count();
    };
    std::printf(
        "connections=%u depth=%u answers=%llu track_per_second=%.0f p50_us=%.0f p99_us=%.0f "
        "answer_octets=%.0f\n",
        options_.connections, options_.depth, static_cast<unsigned long long>(answers_),
        static_cast<double>(answers_) / seconds, percentile(50), percentile(99),
        static_cast<double>(octets_) / static_cast<double>(std::max<std::uint64_t>(answers_, 1)));
  }

  const Options& options_;
  mtrk::UniqueFd epoll_;
  std::vector<Connection> connections_;
  std::array<char, 256 * 1024> buffer_{};
  std::string batch_;
  unsigned next_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t octets_ = 0;
  std::vector<Clock::duration> times_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = read_options(argc, argv);
    std::vector<mtrk::UniqueFd> idle;
    for (unsigned i = 0; i < options.idle; ++i) {
      idle.push_back(connect_to(options.port, 1 + i / kIdlePerAddress));
    }
    Load(options).run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_mtqp: %s\n", error.what());
    return 1;
  }
}
