#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// A DnsPeer is a DNS server on loopback (UDP) whose answers are made octet by octet, to show what a
// resolver must survive. It is for unit tests; system tests use the well-formed answers of a real
// server.
namespace mtrk::test {

struct DnsQuestion {
  std::string name;    // "a.b", in the letter case of the query
  std::uint16_t type;  // 1 A, 15 MX, 28 AAAA, 33 SRV
  std::string packet;  // the whole query
};

inline std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 255U)};
}
inline std::string dns_name(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    out += static_cast<char>(end - at);
    out += text.substr(at, end - at);
    at = end + 1;
  }
  return out + '\0';
}
// Returns a record for the name in the question (by a pointer to octet 12).
inline std::string dns_record(std::uint16_t type, const std::string& data) {
  return std::string("\xc0\x0c", 2) + be16(type) + be16(1) + std::string("\0\0\0\x3c", 4) +
         be16(static_cast<unsigned>(data.size())) + data;
}
inline std::string srv_data(unsigned priority, unsigned weight, unsigned port, std::string target) {
  return be16(priority) + be16(weight) + be16(port) + std::move(target);
}
// Returns an answer to `question` with this response code and these records. `count`, if given, is
// written instead of their true number.
inline std::string dns_answer(const DnsQuestion& question,
                              unsigned rcode,
                              const std::vector<std::string>& records,
                              std::optional<unsigned> count = std::nullopt) {
  const std::size_t end = 12 + dns_name(question.name).size() + 4;
  std::string packet = question.packet.substr(0, 2) + be16(0x8580U | rcode) + be16(1) +
                       be16(count.value_or(static_cast<unsigned>(records.size()))) + be16(0) +
                       be16(0) + question.packet.substr(12, end - 12);
  for (const std::string& record : records) {
    packet += record;
  }
  return packet;
}

class DnsPeer {
 public:
  // Returns the answer to send, or nothing to send none.
  using Script = std::function<std::optional<std::string>(const DnsQuestion&)>;

  explicit DnsPeer(Script script) : script_(std::move(script)) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    timeval tick{0, 50'000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof tick);
    thread_ = std::thread([this] { serve(); });
  }
  DnsPeer(const DnsPeer&) = delete;
  DnsPeer& operator=(const DnsPeer&) = delete;
  ~DnsPeer() {
    stopping_ = true;
    thread_.join();
    ::close(socket_);
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Returns the questions, like "SRV _mtqp._tcp.a", in the order in which they were asked.
  [[nodiscard]] std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  static DnsQuestion read(const std::string& packet) {
    DnsQuestion question{"", 0, packet};
    std::size_t at = 12;
    while (at < packet.size() && packet[at] != 0) {
      const auto length = static_cast<unsigned char>(packet[at]);
      question.name += (question.name.empty() ? "" : ".") + packet.substr(at + 1, length);
      at += 1U + length;
    }
    if (at + 2 < packet.size()) {
      question.type = static_cast<std::uint16_t>((static_cast<unsigned char>(packet[at + 1]) << 8) |
                                                 static_cast<unsigned char>(packet[at + 2]));
    }
    return question;
  }
  static std::string type_name(std::uint16_t type) {
    static const std::map<std::uint16_t, std::string> kNames{
        {1, "A"}, {15, "MX"}, {28, "AAAA"}, {33, "SRV"}};
    const auto found = kNames.find(type);
    return found == kNames.end() ? std::to_string(type) : found->second;
  }
  void serve() {
    while (!stopping_) {
      std::string packet(4096, '\0');
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n = ::recvfrom(socket_, packet.data(), packet.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 12) {
        continue;
      }
      packet.resize(static_cast<std::size_t>(n));
      const DnsQuestion question = read(packet);
      {
        const std::lock_guard lock(mutex_);
        asked_.push_back(type_name(question.type) + " " + question.name);
      }
      if (const std::optional<std::string> answer = script_(question)) {
        ::sendto(socket_, answer->data(), answer->size(), 0, reinterpret_cast<sockaddr*>(&from),
                 size);
      }
    }
  }

  Script script_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

}  // namespace mtrk::test
