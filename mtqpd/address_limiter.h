#pragma once

#include "common/net/asio.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace mtrk::mtqpd {

// Counts connections, in all and by source network: an IPv4 address, or the /64 of an IPv6 address
// (D5). Holds an entry for connected sources only, so max_connections bounds its memory (D12).
// Thread-safe.
class AddressLimiter {
 public:
  // What a connection holds; gives its place back.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();
    [[nodiscard]] explicit operator bool() const { return limiter_ != nullptr; }

   private:
    friend class AddressLimiter;
    Place(AddressLimiter* limiter, std::uint64_t source) : limiter_(limiter), source_(source) {}
    AddressLimiter* limiter_ = nullptr;
    std::uint64_t source_ = 0;
  };

  // An empty place if one of the limits is reached.
  [[nodiscard]] Place enter(const net::asio::ip::address& address, unsigned total, unsigned each);
  [[nodiscard]] std::size_t connections() const;

 private:
  void leave(std::uint64_t source) noexcept;

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, unsigned> sources_;
  std::size_t connections_ = 0;
};

// The network a limit is for, as one number: IPv4 (also mapped into IPv6) and IPv6 never meet.
[[nodiscard]] std::uint64_t source_network(const net::asio::ip::address& address);

}  // namespace mtrk::mtqpd
