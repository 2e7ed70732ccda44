// Opens connections to a running mtqpd, reads each greeting, keeps them, and says what the server's
// process takes for one.
//
//   bench_idle --port N --pid N [--tls 1] [--connections N]
//
// With --tls the port is that of mtqpd.listen_tls; the handshake's state is freed here afterwards,
// since the other end is what is measured.
#include "common/base/ascii.h"
#include "common/base/unique_fd.h"

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr unsigned kPerAddress = 20000;

struct Options {
  unsigned port = 0;
  unsigned pid = 0;
  unsigned tls = 0;
  unsigned connections = 10000;
};

Options read_options(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, unsigned*> known{{"--port", &options.port},
                                                    {"--pid", &options.pid},
                                                    {"--tls", &options.tls},
                                                    {"--connections", &options.connections}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto option = known.find(argv[i]);
    const auto value = mtrk::parse_number<unsigned>(argv[i + 1]);
    if (option == known.end() || !value) {
      throw std::invalid_argument(argv[i]);
    }
    *option->second = *value;
  }
  if (options.port == 0 || options.pid == 0) {
    throw std::invalid_argument("--port and --pid are needed");
  }
  return options;
}

// KiB of the process, and its processor time in ticks of 10 ms.
unsigned long resident(unsigned pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stoul(line.substr(6));
    }
  }
  throw std::runtime_error("no such process");
}

unsigned long ticks(unsigned pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(in, line);
  std::string_view rest = std::string_view(line).substr(line.rfind(')') + 2);
  std::vector<unsigned long> numbers;
  for (unsigned i = 0; i < 13; ++i) {  // state, ppid, …, utime (12th), stime (13th)
    const std::size_t blank = rest.find(' ');
    numbers.push_back(mtrk::parse_number<unsigned long>(rest.substr(0, blank)).value_or(0));
    rest.remove_prefix(blank + 1);
  }
  return numbers[11] + numbers[12];
}

mtrk::UniqueFd connect_to(unsigned port, unsigned source) {
  mtrk::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
  }
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error(std::string("connect: ") + std::strerror(errno));
  }
  return fd;
}

void read_greeting(int fd, SSL_CTX* context) {
  std::array<char, 512> greeting{};
  std::ptrdiff_t length = 0;
  if (context == nullptr) {
    length = ::recv(fd, greeting.data(), greeting.size(), 0);
  } else {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    if (SSL_connect(ssl.get()) == 1) {
      length = SSL_read(ssl.get(), greeting.data(), static_cast<int>(greeting.size()));
    }
  }
  if (length <= 0 || greeting[0] != '+') {
    throw std::runtime_error("no positive greeting");
  }
}

void run(const Options& options) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
      options.tls != 0 ? SSL_CTX_new(TLS_client_method()) : nullptr, SSL_CTX_free);
  const unsigned long before = resident(options.pid);
  std::vector<mtrk::UniqueFd> connections;
  for (unsigned i = 0; i < options.connections; ++i) {
    connections.push_back(connect_to(options.port, 1 + i / kPerAddress));
    read_greeting(connections.back().get(), context.get());
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const unsigned long after = resident(options.pid);
  const unsigned long busy = ticks(options.pid);
  constexpr unsigned kSeconds = 5;
  std::this_thread::sleep_for(std::chrono::seconds(kSeconds));
  std::printf("tls=%u connections=%u rss_mib=%.1f kib_each=%.1f idle_cpu_percent=%.1f\n",
              options.tls, options.connections, static_cast<double>(after) / 1024,
              static_cast<double>(after - before) / options.connections,
              static_cast<double>(ticks(options.pid) - busy) / kSeconds);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    run(read_options(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_idle: %s\n", error.what());
    return 1;
  }
}
