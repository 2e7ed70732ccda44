#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

namespace mtrk::net {

// The keys that TLS session tickets are sealed with: one set for all certificates of the process,
// so that clients resume their sessions across a reload as well. A key seals for an hour and opens
// for one more; whoever takes the machine then learns nothing of the sessions before. Thread-safe.
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

  // The key to seal with now. Nothing if the system has no random octets.
  [[nodiscard]] std::optional<Key> sealing(Clock::time_point now);
  // The key of that name (16 octets), if it may still open.
  [[nodiscard]] std::optional<Key> opening(const unsigned char* name, Clock::time_point now);

  // Makes `context` use the process's keys.
  static void install(SSL_CTX* context);

 private:
  void rotate(Clock::time_point now);

  std::mutex mutex_;
  std::optional<Key> current_;
  std::optional<Key> previous_;
};

}  // namespace mtrk::net
