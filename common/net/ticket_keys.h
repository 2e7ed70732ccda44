#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

namespace mtrk::net {

// TicketKeys are the keys that seal TLS session tickets. The process has one set for all
// certificates, so that clients can resume their sessions even across a reload. A key seals for one
// hour and opens for one more; whoever then breaks into the machine learns nothing about earlier
// sessions. Thread-safe.
class TicketKeys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours kSeals{1};

  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    Clock::time_point made;
  };

  // Returns the key to seal with now, or nothing if the system has no random octets.
  [[nodiscard]] std::optional<Key> sealing(Clock::time_point now);
  // Returns the key of that name (16 octets) if it may still open tickets.
  [[nodiscard]] std::optional<Key> opening(const unsigned char* name, Clock::time_point now);

  // Makes `context` use the keys of the process.
  static void install(SSL_CTX* context);

 private:
  void rotate(Clock::time_point now);

  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;
};

}  // namespace mtrk::net
