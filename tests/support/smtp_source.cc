// A stream of mail for tests and benchmarks: like Postfix's smtp-source(1), but it can ask for
// tracking and tells what became of each message.
//
//   smtp_source --port PORT --to ADDRESS [--to ADDRESS]... [options]
//     --messages N   stop after N messages (default: until SIGTERM)
//     --sessions N   connections at a time (10); one message per connection
//     --size N       octets of the body (2000)
//     --pause-ms N   each session waits that long after a message (0)
//     --tracking none|mtrk|folded   MAIL parameters (none); all messages have one secret, the
//                    certifier below, and the envelope id <prefix><number>@client.example
//     --prefix TEXT  of envelope ids ("m")
//     --report FILE  a line per message: envelope id, recipient, reply code, milliseconds from
//                    connect to the final reply, queue id; separated by tabs
//
// Recipients take turns. Last line on stdout: messages, refused, seconds, rate and slowest.
// Exit: 0 if every message was accepted.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// SHA-1 of the octets 00 01 .. 0f, the secret AAECAwQFBgcICQoLDA0ODw==
constexpr std::string_view kCertifier = "VheLhqV/rCKJmplkGFwsyW59pYk";

struct Options {
  std::uint16_t port = 0;
  std::vector<std::string> to;
  std::uint64_t messages = UINT64_MAX;
  std::uint64_t sessions = 10;
  std::uint64_t size = 2000;
  std::uint64_t pause_ms = 0;
  std::string tracking = "none";
  std::string prefix = "m";
  std::string report;
};

volatile std::sig_atomic_t stop_requested = 0;

// A blocking SMTP client: one command, one reply.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(port);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The last line of the server's next reply; "000" when the connection is gone.
  std::string reply() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        if (line.size() < 4 || line[3] != '-') {
          return line;
        }
        continue;
      }
      char chunk[2048];
      const ssize_t got = connected_ ? ::read(socket_, chunk, sizeof chunk) : -1;
      if (got <= 0) {
        return "000 connection lost";
      }
      buffer_.append(chunk, static_cast<std::size_t>(got));
    }
  }

  std::string ask(std::string_view command) {
    std::string line(command);
    line += "\r\n";
    if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size())) {
      return "000 connection lost";
    }
    return reply();
  }

 private:
  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

class Source {
 public:
  explicit Source(const Options& options) : options_(options) {
    for (std::uint64_t octets = 0; octets < options.size; octets += 70) {
      body_ += std::string(68, 'x') + "\r\n";
    }
    if (!options.report.empty()) {
      report_ = std::fopen(options.report.c_str(), "w");
      if (report_ == nullptr) {
        std::perror(options.report.c_str());
        std::exit(73);
      }
    }
  }
  ~Source() {
    if (report_ != nullptr) {
      std::fclose(report_);
    }
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  bool run() {
    const Clock::time_point start = Clock::now();
    std::vector<std::thread> sessions;
    for (std::uint64_t i = 0; i < options_.sessions; ++i) {
      sessions.emplace_back([this] { send_messages(); });
    }
    for (std::thread& session : sessions) {
      session.join();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("messages=%llu refused=%llu seconds=%.2f rate=%.0f slowest_ms=%.0f\n",
                static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(refused_),
                seconds, static_cast<double>(sent_) / seconds, slowest_ms_);
    return refused_ == 0;
  }

 private:
  void send_messages() {
    for (;;) {
      const std::uint64_t number = next_++;
      if (stop_requested != 0 || number >= options_.messages) {
        return;
      }
      send_message(number);
      if (options_.pause_ms != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(options_.pause_ms));
      }
    }
  }

  void send_message(std::uint64_t number) {
    const std::string envelope_id = options_.prefix + std::to_string(number) + "@client.example";
    const std::string& recipient = options_.to[number % options_.to.size()];
    const std::string commands[] = {"EHLO client.example",
                                    "MAIL FROM:<sender@client.example>" + parameters(envelope_id),
                                    "RCPT TO:<" + recipient + ">", "DATA",
                                    "Subject: " + envelope_id + "\r\n\r\n" + body_ + "."};
    const Clock::time_point start = Clock::now();
    Connection connection(options_.port);
    std::string reply = connection.reply();
    for (const std::string& command : commands) {
      if (reply.front() != '2' && reply.front() != '3') {
        break;
      }
      reply = connection.ask(command);
    }
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    connection.ask("QUIT");
    account(envelope_id, recipient, reply, ms);
  }

  [[nodiscard]] std::string parameters(const std::string& envelope_id) const {
    if (options_.tracking == "mtrk") {
      return " MTRK=" + std::string(kCertifier) + ":86400 RET=HDRS ENVID=" + envelope_id;
    }
    if (options_.tracking == "folded") {
      return " RET=HDRS ENVID=" + envelope_id + ";MTRK:" + std::string(kCertifier) + ":86400";
    }
    return {};
  }

  void account(const std::string& envelope_id,
               const std::string& recipient,
               const std::string& reply,
               double ms) {
    const std::string_view marker = "queued as ";
    const std::size_t found = reply.find(marker);
    const std::lock_guard lock(mutex_);
    ++sent_;
    refused_ += reply.front() == '2' ? 0U : 1U;
    slowest_ms_ = ms > slowest_ms_ ? ms : slowest_ms_;
    if (report_ != nullptr) {
      std::fprintf(report_, "%s\t%s\t%.3s\t%.0f\t%s\n", envelope_id.c_str(), recipient.c_str(),
                   reply.c_str(), ms,
                   found == std::string::npos ? "-" : reply.c_str() + found + marker.size());
    }
  }

  const Options& options_;
  std::string body_;
  std::atomic<std::uint64_t> next_ = 0;
  std::mutex mutex_;  // guards the rest
  std::FILE* report_ = nullptr;
  std::uint64_t sent_ = 0;
  std::uint64_t refused_ = 0;
  double slowest_ms_ = 0;
};

bool parse_option(Options& options, std::string_view name, const char* value) {
  const auto number = [value] { return std::strtoull(value, nullptr, 10); };
  if (name == "--port") {
    options.port = static_cast<std::uint16_t>(number());
  } else if (name == "--to") {
    options.to.emplace_back(value);
  } else if (name == "--messages") {
    options.messages = number();
  } else if (name == "--sessions") {
    options.sessions = number();
  } else if (name == "--size") {
    options.size = number();
  } else if (name == "--pause-ms") {
    options.pause_ms = number();
  } else if (name == "--tracking") {
    options.tracking = value;
  } else if (name == "--prefix") {
    options.prefix = value;
  } else if (name == "--report") {
    options.report = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  bool valid = argc % 2 == 1;
  for (int i = 1; valid && i + 1 < argc; i += 2) {
    valid = parse_option(options, argv[i], argv[i + 1]);
  }
  if (!valid || options.port == 0 || options.to.empty()) {
    std::fputs("usage: smtp_source --port PORT --to ADDRESS [options]; see the source\n", stderr);
    return 64;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { stop_requested = 1; });
  return Source(options).run() ? 0 : 1;
}
